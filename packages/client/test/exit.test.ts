import { expect, test } from "@jest/globals";
import { Scene } from "./support/scene.ts";

test("no timer is left behind by a messenger that is closed while it waits", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 60);
  const program = await scene.loggedIn(1);
  program.disconnect("stall");
  // Its ping is not answered.
  await scene.time.advance(36_000);
  await scene.after(
    1000,
    program.run((messenger) => messenger.close()),
  );
  expect(scene.time.timersOf(program)).toBe(0);
});

test("no timer is left behind by a messenger that is closed while it repeats a request", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 60);
  const program = await scene.loggedIn(1);
  scene.server.faults = Array(50).fill("rateLimited");
  program.run((messenger) => messenger.dialogWith(2).timeline());
  await scene.time.advance(100);
  await scene.after(
    50,
    program.run((messenger) => messenger.close()),
  );
  expect(scene.time.timersOf(program)).toBe(0);
});

test("no timer is left behind by a messenger that is closed while it renews its session", async () => {
  const scene = new Scene();
  const program = await scene.loggedIn(1);
  await scene.time.advance(8 * 60_000 - 1000);
  scene.server.latencyMs = [500, 500];
  while (scene.server.refreshes.length === 0) await scene.time.advance(100);
  await scene.after(
    5000,
    program.run((messenger) => messenger.close()),
  );
  expect(scene.time.timersOf(program)).toBe(0);
});

test("no timer is left behind by a messenger that is closed while it logs in", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const program = scene.program(disk);
  const login = program.run((messenger) => messenger.login({ email: "1", password: "" }));
  while (disk.values.size === 0) await scene.time.advance(1);
  await scene.after(
    5000,
    program.run((messenger) => messenger.close()),
  );
  await login.catch(() => {});
  await scene.time.advance(1000);
  expect(scene.time.timersOf(program)).toBe(0);
});

test("no timer is left behind by a handler that waits for its next attempt", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 2);
  const program = await scene.loggedIn(1);
  program.run((messenger) =>
    messenger.handle("echo", () => {
      throw new Error("not now");
    }),
  );
  await scene.time.advance(5000);
  await scene.after(
    100,
    program.run((messenger) => messenger.close()),
  );
  expect(scene.time.timersOf(program)).toBe(0);
});
