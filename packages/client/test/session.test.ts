import { expect, test } from "@jest/globals";
import { tokenLifeMs } from "./support/model-server.ts";
import { Scene } from "./support/scene.ts";

test("a log-in as somebody else is not undone by the renewal of the session before", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const program = await scene.loggedIn(1, disk);
  // The answers to both arrive at nearly the same moment.
  program.run((messenger) => void messenger.login({ email: "2", password: "" }));
  scene.server.closeAll(4401);
  await scene.time.advance(10_000);
  expect(program.messenger.user.value?.id).toBe(2);
  program.kill();
  const restarted = await scene.resumed(disk);
  await scene.time.advance(2000);
  expect(restarted.messenger.user.value?.id).toBe(2);
});

test("a log-out during a renewal leaves no session behind, neither stored nor at the server", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const program = await scene.loggedIn(1, disk);
  await scene.time.advance(0.8 * tokenLifeMs - 2000);
  scene.server.latencyMs = [300, 300];
  while (scene.server.refreshes.length === 0) await scene.time.advance(50);
  await scene.after(
    10_000,
    program.run((messenger) => messenger.logout()),
  );
  expect(scene.time.timersOf(program)).toBe(0);
  expect([...disk.values.keys()].filter((key) => key.includes("session"))).toEqual([]);
  expect(scene.server.activeSessions).toBe(0);
});

test("a log-in right after the end of a session stays", async () => {
  const scene = new Scene();
  const program = await scene.loggedIn(1);
  let again: Promise<unknown> | undefined;
  program.run((messenger) =>
    messenger.connection.subscribe(({ state }) => {
      if (state === "ended") again ??= messenger.login({ email: "1", password: "" });
    }),
  );
  scene.server.latencyMs = [0, 0];
  scene.server.revoke(1);
  await scene.time.advance(20_000);
  await again;
  expect(program.messenger.connection.value.state).toBe("live");
});

test("tabs that renew at the same moment exchange each refresh token once", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const tabs = [await scene.loggedIn(1, disk), await scene.resumed(disk)];
  scene.server.latencyMs = [500, 500];
  for (let times = 0; times < 5; times++) {
    await scene.time.advance(0.9 * tokenLifeMs);
    scene.server.closeAll(4401);
  }
  await scene.time.advance(60_000);
  const { refreshes } = scene.server;
  expect(refreshes.length).toBeGreaterThan(5);
  expect(new Set(refreshes).size).toBe(refreshes.length);
  expect(tabs.map(({ messenger }) => messenger.connection.value.state)).toEqual(["live", "live"]);
});
