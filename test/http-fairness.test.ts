import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { Cluster } from "./support/cluster.ts";
import { password, TestMessenger, type TestUser } from "./support/messenger.ts";
import { describeWithCluster } from "./support/prerequisites.ts";

/* One user's HTTP requests are handled one at a time, so they leave the database to everyone else. */

describeWithCluster("many HTTP requests of one user that wait for the database", () => {
  let cluster: Cluster;
  let messenger: TestMessenger;
  let holder: pg.Client;
  let busy: TestUser;
  let other: TestUser;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    messenger = await TestMessenger.start({ DATABASE_URL: cluster.url });
    holder = new pg.Client({ connectionString: cluster.url });
    await holder.connect();
    [busy, other] = [await messenger.person(), await messenger.person()];
  }, 60_000);

  afterAll(async () => {
    await holder?.end();
    await messenger?.stop();
    await cluster?.remove();
  });

  const waitingForLocks = async (): Promise<number> => {
    const { rowCount } = await holder.query(
      "SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)) OR wait_event_type = 'Lock'",
    );
    return rowCount ?? 0;
  };

  const requests: [string, () => Promise<{ status: number }>][] = [
    [
      "renames",
      () => messenger.http("PATCH", "/users/me", { token: busy.token, body: { firstName: crypto.randomUUID() } }),
    ],
    ["blocks", () => messenger.http("PUT", `/users/me/blocks/${other.id}`, { token: busy.token })],
    [
      "changed addresses",
      () =>
        messenger.http("PATCH", "/users/me", {
          token: busy.token,
          body: { email: `${crypto.randomUUID()}@example.test`, password },
        }),
    ],
  ];

  test.each(requests)("occupy one connection: %s", async (_what, request) => {
    await holder.query("BEGIN");
    await holder.query("SELECT FROM users WHERE id = $1 FOR UPDATE", [busy.id]);
    const answers = Array.from({ length: 12 }, request);
    while ((await waitingForLocks()) === 0) await wait(10);
    // As long as it takes to answer others.
    for (const _ of [1, 2, 3]) {
      const { status } = await messenger.http("PATCH", "/users/me", { token: other.token, body: { firstName: "Bo" } });
      expect(status).toBe(200);
    }
    expect(await waitingForLocks()).toBe(1);
    await holder.query("ROLLBACK");
    for (const { status } of await Promise.all(answers)) expect([200, 204]).toContain(status);
  });
});
