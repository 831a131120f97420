import { setTimeout as wait } from "node:timers/promises";
import { ChaosClient } from "./client.ts";
import { judge, judgeInPassing } from "./judge.ts";
import { Log } from "./log.ts";
import { Random } from "./random.ts";
import { ServerUnderTest } from "./server-under-test.ts";

export interface ChaosOptions {
  seed: number;
  database: "embedded" | "server";
  /** Server processes on one database, which has to be a server's then. */
  processes?: number;
  /** How many faults; each is one trial. */
  rounds: number;
  people: number;
  /** Between two faults, in milliseconds: at least and at most. */
  calmMs: [number, number];
  entry?: string;
  settings?: Record<string, string>;
  /** Called after the first start, to widen windows in the database. */
  prepare?: (url: string) => Promise<void>;
  onRound?: (round: number, fault: Fault, log: Log) => void;
  /** Stops early, at the end of a round. */
  isEnough?: (log: Log, faults: Readonly<Record<Fault, number>>) => boolean;
  /** Holds what is acknowledged against the database after each round too, where that can be read beside the server. */
  judgeEachRound?: boolean;
}

export type Fault = "kill" | "terminate" | "cut" | "stall" | "databaseImmediate" | "databaseFast" | "redis";

export interface Verdict {
  log: Log;
  faults: Record<Fault, number>;
  seconds: number;
}

/** Mostly kills: the others are there to hide in. */
const faultsOf = ({ database, processes = 1 }: ChaosOptions): Fault[] => [
  ...(["kill", "kill", "kill", "kill", "terminate", "cut", "stall"] as const),
  ...(database === "server" ? (["databaseImmediate", "databaseFast"] as const) : []),
  ...(processes > 1 ? (["redis", "redis"] as const) : []),
];

/** Drives people against a real server while it is killed, cut off and restarted, and judges what they were told. */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const startedAt = Date.now();
  const random = new Random(options.seed);
  const log = new Log();
  const faults: Record<Fault, number> = {
    kill: 0,
    terminate: 0,
    cut: 0,
    stall: 0,
    databaseImmediate: 0,
    databaseFast: 0,
    redis: 0,
  };
  const server = await ServerUnderTest.make(options);
  try {
    await server.startAll();
    if (options.prepare && server.cluster) await options.prepare(server.cluster.url);
    const clients = await makePeople(server.ports[0] ?? 0, options.people, log, random);
    const groups = await makeGroups(clients, server.ports[0] ?? 0, random);

    const stop = new AbortController();
    const working = clients.map((client) =>
      act(client, { clients, groups, ports: server.ports, log, signal: stop.signal }),
    );
    for (let round = 1; round <= options.rounds && !options.isEnough?.(log, faults); round++) {
      await wait(random.between(...options.calmMs));
      const fault = random.pick(faultsOf(options)) ?? "kill";
      faults[fault]++;
      await inflict(fault, server, clients, random);
      if (options.judgeEachRound && server.cluster) await judgeInPassing(server.cluster.url, log);
      options.onRound?.(round, fault, log);
    }
    await wait(options.calmMs[0]);
    stop.abort();
    await Promise.all(working);

    await settle(clients, server.ports);
    await server.endAll("SIGTERM");
    await server.withDatabase((url) => judge(url, log, clients));
  } finally {
    await server.remove();
  }
  return { log, faults, seconds: (Date.now() - startedAt) / 1000 };
}

async function inflict(
  fault: Fault,
  server: ServerUnderTest,
  clients: readonly ChaosClient[],
  random: Random,
): Promise<void> {
  const some = clients.filter(() => random.chance(0.3));
  if (fault === "kill" || fault === "terminate") {
    const port = random.pick(server.ports) ?? 0;
    await server.end(port, fault === "kill" ? "SIGKILL" : "SIGTERM");
    await server.start(port);
  } else if (fault === "redis") {
    await server.redis?.kill();
    await wait(random.between(0, 2000));
    await server.redis?.start();
  } else if (fault === "cut") for (const client of some) client.cut();
  else if (fault === "stall") for (const client of some) client.stall(random.between(200, 2000));
  else {
    await server.cluster?.stop(fault === "databaseFast" ? "fast" : "immediate");
    await server.cluster?.start();
  }
}

const devicesOf = (person: number): number => (person % 3 === 0 ? 2 : 1);

/** Registers people, some of them with two devices. */
async function makePeople(port: number, count: number, log: Log, random: Random): Promise<ChaosClient[]> {
  const clients: ChaosClient[] = [];
  for (let person = 0; person < count; person++) {
    const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        email: `person${person}@chaos.test`,
        password: "a long sentence",
        firstName: `Person${person}`,
      }),
    });
    const session = (await response.json()) as { user: { id: number }; token: string };
    for (let device = 1; device <= devicesOf(person); device++) {
      const name = `p${person}d${device}`;
      clients.push(new ChaosClient(name, session.user.id, session.token, log, random.fork()));
    }
  }
  return clients;
}

/** Makes some groups, everybody in most of them. */
async function makeGroups(clients: readonly ChaosClient[], port: number, random: Random): Promise<number[]> {
  const [first] = clients;
  if (!first || !(await first.connect(port))) throw new Error("the first person cannot connect");
  const userIds = [...new Set(clients.map(({ userId }) => userId))].filter((id) => id !== first.userId);
  const groups: number[] = [];
  for (let group = 0; group < 4; group++) {
    const made = await first.request("newGroup", { groupName: `group ${group}` });
    const groupId: number = made.params.item.groupId;
    groups.push(groupId);
    for (const userId of userIds) if (random.chance(0.7)) await first.request("addUserInGroup", { groupId, userId });
  }
  return groups;
}

interface Scene {
  clients: readonly ChaosClient[];
  groups: readonly number[];
  ports: readonly number[];
  log: Log;
  signal: AbortSignal;
}

/** What one device does until it is told to stop: it talks most of the time. */
async function act(client: ChaosClient, scene: Scene): Promise<void> {
  const { random } = client;
  while (!scene.signal.aborted) {
    if (!client.connected && !(await client.connect(random.pick(scene.ports) ?? 0))) {
      await wait(random.between(20, 200));
      continue;
    }
    if (client.unsettled.length > 0 && random.chance(0.5)) await client.sayAgain();
    await actOnce(client, scene);
    // Whoever goes away by himself stays away for a while, and misses what the others say, edit and delete meanwhile.
    if (!client.connected) await wait(random.between(10, 1500));
    if (random.chance(0.02)) await wait(random.between(1, 50));
  }
}

async function actOnce(client: ChaosClient, { clients, groups, log }: Scene): Promise<void> {
  const { random } = client;
  const mine = [...client.chats.values()];
  const chat = random.pick(mine);
  const own =
    chat &&
    [...chat.messages.values()].filter(
      (item) => item.senderId === client.userId && !item.notification && !item.deletedAt,
    );
  const message = own && random.pick(own.slice(-20));
  const other = random.pick(clients)?.userId ?? client.userId;
  const groupId = random.pick(groups) ?? 0;
  const dice = random.next();
  if (dice < 0.35) await client.say({ groupId: chat?.kind === "group" ? chat.chatId : groupId });
  else if (dice < 0.55) await client.say({ receiverId: other });
  else if (dice < 0.75) {
    const burst = Array.from({ length: random.between(2, 12) }, () => client.say({ receiverId: other }));
    await Promise.all(burst);
  } else if (dice < 0.81 && message) {
    log.counts.edits++;
    await client.request("editMessage", {
      messageId: message.messageId,
      content: `${message.message} (edited)`.slice(0, 4000),
    });
  } else if (dice < 0.84 && message) {
    log.counts.deletions++;
    await client.request("deleteMessage", { messageId: message.messageId });
  } else if (dice < 0.88) await client.request("addUserInGroup", { groupId, userId: other });
  else if (dice < 0.9) await client.request("leaveGroup", { groupId });
  else if (dice < 0.95 && chat)
    await client.request("markRead", { chatId: chat.chatId, seq: Math.max(1, chat.version) });
  else if (dice < 0.96) await client.catchUp();
  else if (dice < 0.98) client.cut();
  else if (chat) await client.request("getMessages", { chatId: chat.chatId, limit: 20 });
}

/** Brings every device back, settles what is unknown, and lets everybody catch up. */
async function settle(clients: readonly ChaosClient[], ports: readonly number[]): Promise<void> {
  const connect = (client: ChaosClient) => client.connect(client.random.pick(ports) ?? 0);
  for (const client of clients) {
    while (!client.connected && !(await connect(client))) await wait(100);
    while (client.unsettled.length > 0) await client.sayAgain();
  }
  for (const client of clients) {
    if (!client.connected) await connect(client);
    await client.catchUp();
    client.close();
  }
}
