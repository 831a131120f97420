import type { Config } from "../../config/settings.ts";
import { error, type Finding, warning, when } from "./finding.ts";

const minMajor = 6;

/**
 * Redis, and whether all processes share it.
 * @param processes those that use the database at the moment
 */
export async function checkRedis(
  { redis: { url, prefix }, database }: Config,
  processes: { all: number; withRedis: number } = { all: 0, withRedis: 0 },
): Promise<Finding[]> {
  const withoutRedis = processes.all - processes.withRedis;
  if (url === undefined) {
    return when(processes.all > 1, () =>
      warning(
        `${processes.all} processes share the database, and REDIS_URL is unset`,
        "They find each other's changes up to two seconds late, and push no typing and presence to each other.",
        "Set the same REDIS_URL for all processes.",
      ),
    );
  }
  const { host } = new URL(url);
  // Loaded only where Redis is used: servers load all commands, and start faster without its client.
  const { examineRedis } = await import("../../bus/examine-redis.ts");
  try {
    const { version, isReplica, subscribers } = await examineRedis({ url, prefix });
    return [
      ...when(Number.parseInt(version, 10) < minMajor, () =>
        error(
          `Redis ${version} is too old`,
          `The messenger needs Redis ${minMajor} or newer.`,
          `Upgrade Redis to ${minMajor} or newer.`,
        ),
      ),
      ...when(isReplica, () =>
        error(
          `Redis ${host} is a replica`,
          "It rejects writes: each process counts rate limits on its own.",
          "Set REDIS_URL to the primary.",
        ),
      ),
      ...when(withoutRedis > 0, () =>
        warning(
          `${withoutRedis} of ${processes.all} processes have no Redis`,
          "Pushes to and from them are up to two seconds late.",
          "Set the same REDIS_URL for all processes, and restart them.",
        ),
      ),
      ...when(processes.withRedis > subscribers, () =>
        warning(
          `${processes.withRedis - subscribers} of ${processes.withRedis} processes with Redis are not connected to ${host}`,
          "Pushes to and from them are up to two seconds late.",
          "Set the same REDIS_URL and REDIS_PREFIX for all processes, and restart them.",
        ),
      ),
      ...when(database.url === undefined, () =>
        warning(
          "REDIS_URL is set with the embedded database",
          "Only one process can use that database, so there is nothing to share.",
          "Unset REDIS_URL, or set DATABASE_URL.",
        ),
      ),
    ];
  } catch (reason) {
    return [
      error(
        `Redis ${host} cannot be used: ${messageOf(reason)}`,
        "Processes find each other's changes up to two seconds late, and each counts rate limits on its own.",
        "Start Redis, and check host, port and password in REDIS_URL.",
      ),
    ];
  }
}

/** The message of a refused connection is in the errors that it contains. */
function messageOf(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(messageOf).join("; ");
  return reason instanceof Error ? reason.message || reason.name : String(reason);
}
