import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { readFinalState } from "../../../test/chaos/final-state.ts";
import { Random } from "../../../test/chaos/random.ts";
import { ServerUnderTest } from "../../../test/chaos/server-under-test.ts";
import { onDatabase } from "../../../test/support/on-database.ts";
import { type ChatView, checkView, checkWritten, readView } from "./support/check-views.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { actUntil, RandomDevice, RandomLog, type RandomRun, type RandomUser } from "./support/random-device.ts";
import { Disk, Program, untilLive } from "./support/simulated-device.ts";

/*
 * Messengers of several users do random things through a proxy that damages connections, while the server is killed and
 * restarted. SDK_SEED repeats a run, as far as time allows, and SDK_ACTIONS changes its length.
 */

const seed = Number(process.env.SDK_SEED ?? Math.floor(Math.random() * 1_000_000));
const actions = Number(process.env.SDK_ACTIONS ?? 3000);
const password = "correct horse battery";
const users = 5;
const maxKills = 3;

test("whatever is cut, lost, refused or killed, every message is sent once and every device shows the truth", async () => {
  const random = new Random(seed);
  const log = new RandomLog();
  const unhandled = (error: unknown) => log.report(`unhandled: ${(error as Error)?.stack ?? error}`);
  process.on("unhandledRejection", unhandled);
  process.on("uncaughtException", unhandled);
  const server = await ServerUnderTest.create({ database: "embedded" });
  await server.startAll();
  const proxy = await FaultProxy.inFrontOf(server.port);
  let devices: RandomDevice[] = [];
  try {
    const people = await Promise.all(Array.from({ length: users }, (_, index) => register(server.port, index)));
    devices = createDevices(people, { url: proxy.url, random, log });
    for (const device of devices) await device.login();
    devices.push(await openTab(devices[0], { users: people, log, url: proxy.url }, random));
    await Promise.all(devices.map(({ messenger }) => untilLive(messenger)));
    for (let group = 0; group < 3; group++) await devices[group]?.createGroup();

    const isDone = () => (log.counts.actions ?? 0) >= actions;
    const working = devices.map((device) => actUntil(device, isDone));
    await injectFaults(server, proxy, random, isDone, log);
    await Promise.all(working);
    for (const device of devices) await device.stayLoggedIn();
    await Promise.all(devices.map(({ messenger }) => untilLive(messenger, 40_000)));
    await untilSent(devices);

    const views = await untilEqual(devices, people, proxy.url);
    const failed = await failedIds(devices);
    for (const device of devices) device.kill();
    await server.stopAll("SIGTERM");
    await server.withDatabase(async (url) => {
      const finalState = await readFinalState(url);
      const details = await readGroupDetails(url);
      checkWritten(finalState, log, failed);
      for (const { name, user, view } of views) {
        checkView(finalState, details, { name, userId: user.id, views: view }, log);
      }
    });
  } finally {
    for (const device of devices) device.kill();
    await proxy.close();
    await server.remove();
    process.off("unhandledRejection", unhandled);
    process.off("uncaughtException", unhandled);
  }
  if (process.env.SDK_COUNTS)
    process.stderr.write(`${JSON.stringify({ seed, ...log.counts, written: log.written.length })}\n`);
  expect({ seed, violations: log.violations }).toEqual({ seed, violations: [] });
}, 180_000);

async function register(port: number, index: number): Promise<RandomUser> {
  const email = `user${index}@example.test`;
  const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password, firstName: `User${index}` }),
  });
  const { user } = (await response.json()) as { user: { id: number } };
  return { id: user.id, email, password };
}

/** Every other user has two devices. */
function createDevices(
  people: readonly RandomUser[],
  { url, random, log }: { url: string; random: Random; log: RandomLog },
): RandomDevice[] {
  const run = { users: people, log, url };
  return people.flatMap((user, index) => {
    const names = index % 2 === 0 ? [`u${index}d1`, `u${index}d2`] : [`u${index}d1`];
    return names.map((name) => new RandomDevice(name, user, new Disk(), random.fork(), run));
  });
}

/** Starts a second program with the store of a device. */
async function openTab(first: RandomDevice | undefined, run: RandomRun, random: Random): Promise<RandomDevice> {
  if (!first) throw new Error("there is no device");
  const tab = new RandomDevice(`${first.name}tab`, first.user, first.disk, random.fork(), run);
  await tab.messenger.resume();
  return tab;
}

/** Damages connections and kills the server until the run is done. */
async function injectFaults(
  server: ServerUnderTest,
  proxy: FaultProxy,
  random: Random,
  isDone: () => boolean,
  log: RandomLog,
): Promise<void> {
  const anyConnection = () => random.pick([...proxy.connections]);
  const faults: Record<string, () => Promise<void> | void> = {
    cut: () => anyConnection()?.cut(),
    cutUp: () => anyConnection()?.cutAfter(random.between(1, 3000), "up"),
    cutDown: () => anyConnection()?.cutAfter(random.between(1, 20_000), "down"),
    loseAnswer: () => anyConnection()?.loseAnswer(),
    loseAnswers: () => {
      for (const connection of proxy.connections) if (random.chance(0.5)) connection.loseAnswer();
    },
    stall: () => anyConnection()?.stall(random.between(200, 2000)),
    cutAll: () => proxy.cutAll(),
    async delay() {
      proxy.delayMs = random.between(10, 100);
      await wait(random.between(200, 1000));
      proxy.delayMs = 0;
    },
    async unavailable() {
      proxy.isUnavailable = true;
      if (random.chance(0.5)) proxy.cutAll();
      await wait(random.between(200, 1000));
      proxy.isUnavailable = false;
    },
    async refuse() {
      proxy.isRefusing = true;
      if (random.chance(0.5)) proxy.cutAll();
      await wait(random.between(200, 1000));
      proxy.isRefusing = false;
    },
  };
  const names = Object.keys(faults);
  let kills = 0;
  while (!isDone()) {
    const name = random.pick(names) ?? "cut";
    log.count(name);
    await faults[name]?.();
    await wait(random.between(10, 200));
    if ((log.counts.actions ?? 0) < ((kills + 1) * actions) / (maxKills + 1)) continue;
    kills++;
    await server.stop(server.port, "SIGKILL");
    await server.start(server.port);
  }
}

/** The unsent entries of all stores. */
async function outboxEntries(devices: readonly RandomDevice[]) {
  const all = await Promise.all(devices.map(({ disk }) => disk.store.entries()));
  return all.flat().filter(([key]) => key.includes("/outbox/")) as [
    string,
    { failure?: object; message?: { clientMessageId: string } },
  ][];
}

async function untilSent(devices: readonly RandomDevice[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const unsent = (await outboxEntries(devices)).filter(([, { failure }]) => !failure);
    if (unsent.length === 0) return;
    if (Date.now() > deadline) throw new Error(`seed ${seed}: not sent: ${JSON.stringify(unsent.slice(0, 5))}`);
    await wait(50);
  }
}

async function failedIds(devices: readonly RandomDevice[]): Promise<Set<string>> {
  const entries = await outboxEntries(devices);
  return new Set(entries.flatMap(([, { message }]) => message?.clientMessageId ?? []));
}

type View = { name: string; user: RandomUser; view: ChatView[] };

/** What a view says, without what belongs to one device: the messages that it could not send. */
const comparable = (views: readonly ChatView[]) =>
  JSON.stringify(
    views
      .map(({ summary: { lastMessage: _, ...summary }, messages, peerReadSeq }) => ({
        ...summary,
        peerReadSeq,
        messages: messages.filter(({ state }) => state === "sent"),
      }))
      .filter(({ messages, kind }) => messages.length > 0 || kind === "group")
      .sort((a, b) => (a.id ?? 0) - (b.id ?? 0)),
  );

const hasWaiting = (views: readonly ChatView[]) =>
  views.some(({ messages }) => messages.some(({ state }) => state === "queued" || state === "sending"));

/** Waits until each device shows what one that has just logged in shows, and returns the views. */
async function untilEqual(
  devices: readonly RandomDevice[],
  people: readonly RandomUser[],
  url: string,
): Promise<View[]> {
  // A program notices within ten seconds what another one of its store has sent or discarded.
  const deadline = Date.now() + 20_000;
  const fresh = new Map<number, string>();
  for (const user of people) {
    const program = new Program(url);
    await program.messenger.login({ email: user.email, password: user.password });
    await untilLive(program.messenger);
    fresh.set(user.id, comparable(await readView(program.messenger)));
    program.kill();
  }
  for (;;) {
    const views: View[] = [];
    for (const { name, user, messenger } of devices) views.push({ name, user, view: await readView(messenger) });
    const isSettled = views.every(({ user, view }) => comparable(view) === fresh.get(user.id) && !hasWaiting(view));
    // The comparison with the database says what differs.
    if (isSettled || Date.now() > deadline) return views;
    await wait(200);
  }
}

async function readGroupDetails(url: string) {
  return onDatabase(url, async (client) => {
    const groups = await client.query("SELECT id, name FROM chats WHERE kind = 'group'");
    const roles = await client.query("SELECT user_id, chat_id, role FROM chat_members");
    return {
      names: new Map<number, string>(groups.rows.map(({ id, name }) => [Number(id), name])),
      roles: new Map<string, string>(roles.rows.map((row) => [`${row.user_id} ${row.chat_id}`, row.role])),
    };
  });
}
