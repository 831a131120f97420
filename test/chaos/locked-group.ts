import { setTimeout as wait } from "node:timers/promises";
import { onDatabase } from "../support/on-database.ts";
import type { ChaosClient } from "./client.ts";
import type { ClientSocket } from "./client-socket.ts";
import { firstDevices } from "./people.ts";
import type { Random } from "./random.ts";

/** How long the lock is held at most, in milliseconds: longer than the lock timeout of the server. */
const maxHoldMs = 4000;
const maxAttempts = 50;

/**
 * Creates a group, locks its row, and has users who are not in it ask for changes of it, on connections of their own.
 * @returns how long each waited for the answer, in milliseconds
 */
export async function askAboutLockedGroup(options: {
  databaseUrl: string;
  ports: readonly number[];
  clients: readonly ChaosClient[];
  random: Random;
}): Promise<number[]> {
  const { databaseUrl, ports, clients, random } = options;
  const [owner, ...others] = firstDevices(clients);
  const open = async (client: ChaosClient) => {
    const socket = await client.openSocket(random.pick(ports) ?? 0);
    socket?.listen(ignore, ignore);
    return socket;
  };
  const ownerSocket = owner && (await open(owner));
  const strangers = await Promise.all(others.map(open));
  try {
    const groupId = ownerSocket && (await createGroup(ownerSocket));
    if (groupId === undefined) return [];
    return await onDatabase(databaseUrl, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT FROM chats WHERE id = $1 FOR UPDATE", [groupId]);
      const answers = strangers.flatMap((socket) => (socket ? [askForChange(socket, groupId, random)] : []));
      return Promise.all(answers);
    });
  } finally {
    for (const socket of [ownerSocket, ...strangers]) socket?.terminate();
  }
}

const ignore = () => {};

/** @returns the id of the group; undefined if the server does not create one for some seconds */
async function createGroup(socket: ClientSocket): Promise<number | undefined> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const frame = await socket.request("newGroup", { groupName: "locked" });
    if (frame?.success) return frame.params.item.groupId;
    await wait(100);
  }
  return undefined;
}

/** @returns the time until the answer, or until the lock is released */
async function askForChange(socket: ClientSocket, groupId: number, random: Random): Promise<number> {
  const startedAt = performance.now();
  const type = random.pick(["leaveGroup", "renameGroup", "deleteGroup"]) ?? "leaveGroup";
  await Promise.race([socket.request(type, { groupId, groupName: "ours" }), wait(maxHoldMs)]);
  return performance.now() - startedAt;
}
