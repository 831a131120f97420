import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { readFinalState } from "../../../test/chaos/final-state.ts";
import { Random } from "../../../test/chaos/random.ts";
import { ServerUnderTest } from "../../../test/chaos/server-under-test.ts";
import { checkView, checkWritten } from "./support/check-views.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { actUntil, RandomDevice, RandomLog, type RandomRun, type RandomUser } from "./support/random-device.ts";
import { failedMessages, readGroupDetails, readSettledViews, untilSent } from "./support/settled-views.ts";
import { Disk, untilLive } from "./support/simulated-device.ts";

/*
 * Messengers of several users do random things through a proxy that damages connections, while the server is killed and
 * restarted. SDK_SEED repeats a run, as far as time allows, and SDK_ACTIONS changes its length.
 */

const seed = Number(process.env.SDK_SEED ?? Math.floor(Math.random() * 1_000_000));
const actions = Number(process.env.SDK_ACTIONS ?? 800);
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
    for (const device of devices) await untilLiveAgain(device);
    expect(await untilSent(devices)).toEqual([]);

    const views = await readSettledViews(devices, { users: people, url: proxy.url, log });
    const failed = await failedMessages(devices);
    for (const device of devices) device.kill();
    await server.stopAll("SIGTERM");
    await server.withDatabase(async (url) => {
      const finalState = await readFinalState(url);
      const details = await readGroupDetails(url);
      checkWritten(finalState, log, failed);
      for (const view of views) checkView(finalState, details, view, log);
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

/** A session may end while the connection comes back. */
async function untilLiveAgain(device: RandomDevice): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await device.stayLoggedIn();
    try {
      await untilLive(device.messenger, 10_000);
      return;
    } catch (error) {
      if (attempt === 4) throw error;
    }
  }
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
