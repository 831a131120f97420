import { setTimeout as wait } from "node:timers/promises";
import type { RandomUser } from "../../packages/client/test/support/random-device.ts";
import { credentialsOf, registerAccount } from "../support/accounts.ts";
import { readAvatars } from "./avatars-reader.ts";
import { ChaosClient } from "./client.ts";
import { readFiles } from "./files-reader.ts";
import type { Log } from "./log.ts";
import { readMentions } from "./mentions-reader.ts";
import type { Random } from "./random.ts";
import type { ClientRules } from "./replica.ts";

/** More would wait for longer than a reply may take, where the database is slowed down. */
const maxResentAtOnce = 50;

const nameOf = (person: number): string => `Person${person}`;

const deviceCount = (person: number): number => (person % 3 === 0 ? 2 : 1);

/** Registers users, every third of them with two devices. */
export async function registerClients(
  port: number,
  count: number,
  { log, random, rules }: { log: Log; random: Random; rules?: ClientRules | undefined },
): Promise<ChaosClient[]> {
  const clients: ChaosClient[] = [];
  for (let person = 0; person < count; person++) {
    const { id, token } = await registerAccount(port, nameOf(person));
    for (let device = 1; device <= deviceCount(person); device++) {
      const name = `p${person}d${device}`;
      clients.push(new ChaosClient(name, id, token, log, random.fork(), rules));
    }
  }
  return clients;
}

/** The users, in the order of their registration, as they log in. */
export const usersOf = (clients: readonly ChaosClient[]): RandomUser[] =>
  [...new Set(clients.map(({ userId }) => userId))].map((id, person) => ({ id, ...credentialsOf(nameOf(person)) }));

/** Creates four groups with most of the users as members, some of them as admins. */
export async function createGroups(clients: readonly ChaosClient[], port: number, random: Random): Promise<number[]> {
  const [first] = clients;
  if (!first || !(await first.connect(port))) throw new Error("the first client cannot connect");
  const userIds = [...new Set(clients.map(({ userId }) => userId))].filter((id) => id !== first.userId);
  const groups: number[] = [];
  for (let group = 0; group < 4; group++) {
    const created = await first.request("newGroup", { groupName: `group ${group}` });
    const groupId: number = created.params.item.groupId;
    groups.push(groupId);
    for (const userId of userIds) {
      if (random.chance(0.3)) continue;
      await first.request("addUserInGroup", { groupId, userId });
      if (random.chance(0.4)) await first.request("setMemberRole", { groupId, userId, role: "admin" });
    }
  }
  return groups;
}

/** One device of each user. */
export const firstDevices = (clients: readonly ChaosClient[]): ChaosClient[] => [
  ...new Map(clients.map((client) => [client.userId, client])).values(),
];

/** Waits until everything that the users can find is indexed. The devices are connected and do nothing else. */
async function untilIndexed(clients: readonly ChaosClient[]): Promise<void> {
  for (const client of clients) while (client.connected && (await client.search("index"))?.behind) await wait(100);
}

/** Waits until all connected devices have received all acknowledged changes as pushes, and reports those missing. */
export async function checkAllDelivered(clients: readonly ChaosClient[], log: Log): Promise<void> {
  const missing = () => clients.flatMap((client) => (client.connected ? client.missing() : []));
  if (await log.latency.waitUntil(() => missing().length === 0)) return;
  for (const details of missing()) log.reportViolation("late", details);
}

/** Reconnects all devices, resends until no outcome is unknown, and syncs. */
export async function reconnectAndSync(clients: readonly ChaosClient[], ports: readonly number[]): Promise<void> {
  const connect = async (client: ChaosClient) => {
    while (!client.connected && !(await client.connect(client.random.pick(ports) ?? 0))) await wait(100);
  };
  const resendAll = async (client: ChaosClient) => {
    while (client.unconfirmed.length > 0) {
      await connect(client);
      const count = Math.min(client.unconfirmed.length, maxResentAtOnce);
      await Promise.all(Array.from({ length: count }, () => client.resendUnconfirmed()));
    }
  };
  await Promise.all(clients.map(resendAll));
  await Promise.all(
    clients.map(async (client) => {
      await connect(client);
      await client.sync();
    }),
  );
  await untilIndexed(clients);
  for (const client of clients) client.close();
}

/** Reads what each user has of what devices need not keep. Nothing changes any more. */
export async function readAsNewDevices(
  clients: readonly ChaosClient[],
  { ports, log }: { ports: readonly number[]; log: Log },
): Promise<void> {
  for (const client of firstDevices(clients)) {
    const port = client.random.pick(ports) ?? 0;
    const read = await readMentions(client, port);
    if (read) log.mentionsRead.push(read);
    await readAvatars(client, port, log);
  }
  await readFiles(firstDevices(clients), { ports, log });
}
