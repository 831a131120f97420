import { setMaxListeners } from "node:events";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { logIn, person } from "./support/scenes.ts";
import { type Program, until, untilLive } from "./support/simulated-device.ts";

const server = useMessenger();
let proxy: FaultProxy;
const running: Program[] = [];
const page = new EventTarget();
const document = Object.assign(new EventTarget(), { visibilityState: "visible" });

beforeAll(async () => {
  setMaxListeners(0, page, document);
  proxy = await FaultProxy.inFrontOf(server().port);
  Object.assign(globalThis, {
    document,
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  });
});
afterEach(() => {
  proxy.isRefusing = false;
  for (const program of running.splice(0)) program.kill();
});
afterAll(async () => {
  for (const name of ["document", "addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name);
  await proxy.close();
});

const notLive = ({ state }: { state: string }) => state !== "live";

test("a device that wakes up connects once, however often the browser reports it", async () => {
  const program = await logIn(proxy.url, await person(server()));
  running.push(program);
  proxy.cutAll();
  await until(program.messenger.connection, notLive);
  const before = proxy.webSockets;
  for (let count = 0; count < 20; count++) {
    page.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
  }
  await untilLive(program.messenger);
  for (let count = 0; count < 20; count++) document.dispatchEvent(new Event("visibilitychange"));
  await program.messenger.request("ping", {});
  expect(proxy.webSockets - before).toBe(1);
  expect(program.messenger.connection.value.state).toBe("live");
});

test("a connection that died while the device was asleep is replaced when it wakes up", async () => {
  const program = await logIn(proxy.url, await person(server()));
  running.push(program);
  const before = proxy.webSockets;
  // Routers forget connections without telling anybody.
  for (const connection of proxy.connections) if (connection.isWebSocket) connection.stall(60_000);
  document.dispatchEvent(new Event("visibilitychange"));
  await until(program.messenger.connection, notLive, 20_000);
  await untilLive(program.messenger);
  expect(proxy.webSockets - before).toBe(1);
}, 60_000);

test("many clients spread their attempts while the server is away, and after it is back", async () => {
  const clients = 30;
  const outageMs = 4000;
  const people = [];
  for (let count = 0; count < clients; count++) people.push(await person(server()));
  const programs = await Promise.all(people.map((one) => logIn(proxy.url, one)));
  running.push(...programs);
  const attempts: number[] = [];
  for (const { messenger } of programs) {
    messenger.connection.subscribe(({ state, retryAt }) => {
      if (state === "offline" && retryAt !== undefined) attempts.push(retryAt);
    });
  }
  proxy.isRefusing = true;
  proxy.cutAll();
  await Promise.all(programs.map(({ messenger }) => until(messenger.connection, notLive)));
  await new Promise((resolve) => setTimeout(resolve, outageMs));
  // With full jitter, five attempts are expected in this time.
  expect(attempts.length).toBeLessThan(10 * clients);
  // The first wait alone is spread over half a second.
  const first = attempts.slice(0, clients);
  const spread = Math.max(...first) - Math.min(...first);
  expect(spread).toBeGreaterThan(250);
  proxy.isRefusing = false;
  await Promise.all(programs.map(({ messenger }) => untilLive(messenger, 40_000)));
}, 90_000);
