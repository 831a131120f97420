import { createClient } from "@redis/client";
import { busChannel } from "./redis-bus.ts";

const connectTimeoutMs = 3000;

/** What is found in a Redis. */
export interface RedisFacts {
  version: string;
  /** Whether it is a replica, which refuses writes. */
  isReplica: boolean;
  /** Processes of this messenger that are subscribed to its bus. */
  subscribers: number;
}

/**
 * Examines a Redis without changing it.
 * @throws Error if it cannot be reached or rejects the connection
 */
export async function examineRedis({ url, prefix }: { url: string; prefix: string }): Promise<RedisFacts> {
  const client = createClient({
    url,
    maintNotifications: "disabled",
    commandOptions: { timeout: connectTimeoutMs },
    socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
  });
  client.on("error", () => {});
  try {
    await client.connect();
    const info = await client.info();
    const channel = busChannel(prefix);
    const counts = await client.pubSubNumSub([channel]);
    return {
      version: field(info, "redis_version"),
      isReplica: field(info, "role") === "slave",
      subscribers: Number(counts[channel] ?? 0),
    };
  } finally {
    client.destroy();
  }
}

const field = (info: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
