import { mkdir, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { fsck } from "../src/cli/commands/fsck.ts";
import { readSettings } from "../src/config/read-settings.ts";
import { queryName } from "../src/db/query-times.ts";
import { Distribution } from "../src/metrics/distribution.ts";
import { Metrics } from "../src/metrics/metrics.ts";
import { LogLines } from "./support/log-lines.ts";
import { password, useMessenger } from "./support/messenger.ts";
import { MetricsText, readMetrics } from "./support/metrics-text.ts";
import { useProcesses } from "./support/processes.ts";
import { participant, sendPrivately } from "./support/scenes.ts";
import { until } from "./support/until.ts";

/* The metrics: who may read them, and that each counts what it says. */

const token = "0123456789abcdef-metrics-token";
const bearer = (given: string) => ({ authorization: `Bearer ${given}` });
const unknownPath = { code: "NOT_FOUND", detail: "No such path; see /api" };

/** The address of the metrics, as the log says it. */
const addressIn = (log: LogLines): string =>
  log.lines.map(({ msg }) => /http:\S+\/metrics/.exec(String(msg))?.[0]).find(Boolean) ?? "";

describe("without METRICS_PORT and METRICS_TOKEN", () => {
  const messenger = useMessenger();

  test("there are no metrics: the path is unknown like any other, and nothing is measured", async () => {
    for (const headers of [{}, bearer(token)]) {
      const { status, body } = await messenger().http("GET", "/metrics", { headers });
      expect([status, body]).toEqual([404, expect.objectContaining(unknownPath)]);
    }
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript allows access to private fields with brackets only
    expect(messenger()["messenger"]["metrics"]).toBeUndefined();
  });

  test("fsck hands over the number of violations of a complete check", async () => {
    const metrics = new Metrics({ version: "1", limits: [], findBackupTime: async () => undefined });
    const config = readSettings({ DATA_DIR: messenger().dataDir });
    const context = { config, database: messenger().db, noteViolations: metrics.noteViolations } as never;
    const shown = async () => new MetricsText(await metrics.text()).value("messenger_fsck_violations");
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    await sendPrivately(await ann.connect(), bob.id, "one");
    await fsck.run(context, { chat: "1" });
    expect(await shown()).toBeUndefined();
    await fsck.run(context, {});
    expect(await shown()).toBe(0);
    await messenger().sql("UPDATE chats SET last_seq = 7");
    await fsck.run(context, {});
    expect(await shown()).toBeGreaterThan(0);
  });
});

describe("with METRICS_TOKEN", () => {
  const messenger = useMessenger({ METRICS_TOKEN: token });

  test("the main port shows them to its bearer only", async () => {
    const good = await messenger().http("GET", "/metrics", { headers: bearer(token) });
    expect([good.status, good.headers.get("content-type")]).toEqual([200, expect.stringMatching(/^text\/plain; /)]);
    expect(good.body).toContain("messenger_build_info{version=");
    const user = await messenger().person();
    for (const headers of [{}, bearer(`${token}x`), bearer(token.slice(1)), bearer(user.token)]) {
      const { status, body } = await messenger().http("GET", "/metrics", { headers });
      expect([status, body.code]).toEqual([401, "UNAUTHENTICATED"]);
    }
  });

  test("the path has one spelling and one method", async () => {
    const status = async (method: string, path: string) =>
      (await messenger().http(method, path, { headers: bearer(token) })).status;
    expect(await status("POST", "/metrics")).toBe(405);
    for (const path of ["/metrics/", "/METRICS", "/metrics/x"]) expect(await status("GET", path)).toBe(404);
  });

  test.each(["short", "a token with spaces in it", "töken-töken-töken-töken"])(
    "a token that cannot be sent or is easily guessed (%s) stops the start, and is not shown",
    (METRICS_TOKEN) => {
      expect(() => readSettings({ METRICS_TOKEN })).toThrow(/"METRICS_TOKEN" needs 16 or more letters/);
      expect(() => readSettings({ METRICS_TOKEN })).not.toThrow(METRICS_TOKEN);
    },
  );
});

describe("with METRICS_PORT", () => {
  const log = new LogLines();
  const messenger = useMessenger({ METRICS_PORT: "0" }, log.log);
  let url: string;
  beforeAll(() => {
    url = addressIn(log);
  });

  test("that port shows the metrics and nothing else, and the main port does not", async () => {
    expect((await readMetrics(url)).value("messenger_bus_up")).toBe(1);
    for (const path of ["/", "/health/live", "/metrics/", "/users/me"]) {
      expect((await fetch(new URL(path, url))).status).toBe(404);
    }
    expect((await messenger().http("GET", "/metrics")).body).toMatchObject(unknownPath);
  });

  test("readers are not logged", async () => {
    log.clear();
    await readMetrics(url);
    await messenger().http("GET", "/nowhere");
    await log.waitFor({ route: "unknown" });
    expect(log.find({ route: "/metrics" })).toBeUndefined();
  });
});

describe("with METRICS_PORT and METRICS_TOKEN", () => {
  const log = new LogLines();
  const messenger = useMessenger({ METRICS_PORT: "0", METRICS_TOKEN: token }, log.log);

  test("the token is asked for there, and the main port shows nothing", async () => {
    const url = addressIn(log);
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: bearer("wrong") })).status).toBe(401);
    expect((await readMetrics(url, bearer(token))).names).toContain("messenger_sockets");
    expect((await messenger().http("GET", "/metrics", { headers: bearer(token) })).status).toBe(404);
  });
});

describe("a METRICS_PORT that is in use", () => {
  const processes = useProcesses();

  test("stops the start with one line that names it", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, output } = await processes.spawn({ METRICS_PORT: String(port) }).exited;
    other.close();
    expect([code, output]).toEqual([
      1,
      `Port ${port} of 127.0.0.1 cannot be used: it is in use. Set METRICS_PORT to another one, or to 0 for a free one.\n`,
    ]);
  });
});

describe("each metric", () => {
  const messenger = useMessenger({
    METRICS_TOKEN: token,
    RATE_LIMITS: "on",
  });
  const read = () => readMetrics(`http://127.0.0.1:${messenger().port}/metrics`, bearer(token));
  let before: MetricsText;
  beforeEach(async () => {
    before = await read();
  });
  /** How much samples have grown in the test. */
  const growth = async (...samples: string[]) => {
    const now = await read();
    return samples.map((sample) => (now.value(sample) ?? 0) - (before.value(sample) ?? 0));
  };

  test("of sends counts the request, its batch and its pushes", async () => {
    const [ann, bob] = [await participant(messenger()), await participant(messenger(), { devices: 2 })];
    await sendPrivately(ann.device, bob.id, "one");
    for (const device of bob.devices) await device.nextPush("privateMessage");
    const counts = await growth(
      'messenger_requests_total{type="privateMessage",outcome="ok"}',
      'messenger_request_seconds_count{type="privateMessage"}',
      "messenger_send_batch_size_sum",
      "messenger_send_commit_seconds_count",
      "messenger_delivery_lag_seconds_count",
      "messenger_pushes_total",
      'messenger_db_query_seconds_count{query="send_messages"}',
    );
    expect(counts).toEqual([1, 1, 1, 1, 1, 2, 1]);
    expect((await read()).value("messenger_sockets")).toBe(3);
  });

  test("of errors counts them by code, and never under a name that the client has chosen", async () => {
    const { device } = await participant(messenger());
    await device.requestError("evil-type", {});
    await device.requestError("constructor", {});
    await device.requestError("getMessages", {});
    await device.sendRaw("{");
    await messenger().http("GET", "/evil-path");
    await messenger().http("GET", "/users/evil");
    expect(
      await growth(
        'messenger_requests_total{type="unknown",outcome="UNKNOWN_TYPE"}',
        'messenger_requests_total{type="unknown",outcome="BAD_JSON"}',
        'messenger_requests_total{type="getMessages",outcome="VALIDATION"}',
        'messenger_http_requests_total{route="unknown",status="404"}',
        'messenger_http_requests_total{route="/users/{id}",status="401"}',
      ),
    ).toEqual([2, 1, 1, 1, 1]);
    expect((await read()).text).not.toMatch(/evil|constructor/);
  });

  test("of closed sockets has the code that the server sent, or a known one of the client", async () => {
    const { devices, token: session } = await participant(messenger(), { devices: 4 });
    const [ordinary, custom, binary, last] = devices;
    ordinary?.socket.close(1000);
    custom?.socket.close(3456);
    binary?.socket.send(Buffer.of(1));
    for (const device of [ordinary, custom, binary]) await device?.closed;
    await messenger().http("POST", "/auth/logout", { token: session });
    await last?.closed;
    const codes = ["1000", "other", "1003", "4401"];
    expect(await growth(...codes.map((code) => `messenger_socket_closes_total{code="${code}"}`))).toEqual([1, 1, 1, 1]);
    expect((await read()).labelValues("code")).not.toContain("3456");
  });

  test("of log-ins counts their outcome, and those over a limit by limit", async () => {
    const { email } = await messenger().person();
    const logIn = (tried: string) => messenger().http("POST", "/auth/login", { body: { email, password: tried } });
    expect((await logIn(password)).status).toBe(200);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429 && statuses.length < 20) statuses.push((await logIn("wrong password")).status);
    const wrong = statuses.filter((status) => status === 401).length;
    expect(statuses.length).toBe(wrong + 1);
    expect(
      await growth(
        'messenger_logins_total{outcome="ok"}',
        'messenger_logins_total{outcome="BAD_CREDENTIALS"}',
        'messenger_logins_total{outcome="RATE_LIMITED"}',
        'messenger_rate_limited_total{limit="logInsPerAccount"}',
      ),
    ).toEqual([1, wrong, 1, 1]);
  });

  test("of sync counts the chats of the answer by what differed", async () => {
    const [ann, bob] = [await participant(messenger()), await participant(messenger())];
    const { chatId } = await sendPrivately(ann.device, bob.id, "one");
    const syncs = [[], [[chatId, 0, 0, 0]], [[chatId, 1, 0, 0]], [[chatId, 9, 0, 0]], [[999_999, 1, 0, 0]]];
    for (const chats of syncs) await bob.device.request("sync", { chats });
    const results = ["changes", "positions", "reset", "left"];
    expect(await growth(...results.map((result) => `messenger_sync_chats_total{result="${result}"}`))).toEqual([
      3, 0, 1, 1,
    ]);
    expect(await growth("messenger_sync_seconds_count")).toEqual([5]);
  });

  test("of the database has the connections, and the times by what statements do and never by their values", async () => {
    await messenger().http("POST", "/auth/register", {
      body: { email: "delete.from.users@example.test", password, firstName: "UPDATE evil SET" },
    });
    const metrics = await read();
    expect(metrics.value('messenger_db_pool_connections{state="used"}')).toBeGreaterThanOrEqual(0);
    // Background jobs may wait for a connection, too.
    await until(async () => (await read()).value('messenger_db_pool_connections{state="waiting"}') === 0);
    const names = metrics.labelValues("query");
    expect(names).toEqual(expect.arrayContaining(["insert users", "select users", "commit"]));
    expect(names.filter((name) => !/^[a-z_]+( [a-z_]+)?$/.test(name) || /evil|example/.test(name))).toEqual([]);
  });

  test("of a queue of passwords, of bytes and of the bus has its value while nothing happens", async () => {
    const metrics = await read();
    const samples = ["messenger_password_hash_queue", "messenger_buffered_bytes", "messenger_bus_up"];
    expect(samples.map((sample) => metrics.value(sample))).toEqual([0, 0, 1]);
  });

  test("of backups has the age of the newest one", async () => {
    expect((await read()).value("messenger_backup_age_seconds")).toBeUndefined();
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript allows access to private fields with brackets only
    const folder = join(messenger()["database"].settings.DATA_DIR, "backups");
    await mkdir(folder);
    for (const [name, age] of Object.entries({ "old.zip": 9000, "new.zip": 3600, "unfinished.partial": 0 })) {
      await writeFile(join(folder, name), "");
      const time = Date.now() / 1000 - age;
      await utimes(join(folder, name), time, time);
    }
    expect(Math.round((await read()).value("messenger_backup_age_seconds") ?? 0) - 3600).toBeLessThan(60);
    expect((await read()).value("messenger_backup_age_seconds")).toBeGreaterThanOrEqual(3600);
  });

  test("has no label with a user, a chat or a text", async () => {
    const labels = [...(await read()).text.matchAll(/[{,](\w+)="/g)].map(([, name = ""]) => name);
    const known = ["code", "kind", "le", "limit", "outcome", "query", "result", "route", "state", "status", "type"];
    const ofNode = ["major", "minor", "patch", "space"];
    expect([...new Set(labels)].sort()).toEqual([...known, ...ofNode, "version"].sort());
  });
});

describe("a distribution", () => {
  test("counts values up to each bound, inclusive", () => {
    const distribution = new Distribution([1, 2, 5]);
    for (const value of [0.5, 1, 1.5, 2, 9]) distribution.observe(value);
    expect([...distribution.samples()]).toEqual([{ labels: {}, cumulative: [2, 4, 4], count: 5, sum: 14 }]);
  });
});

describe("the name of a statement", () => {
  const tables = new Set(["users", "chats"]);

  test.each([
    ["SELECT id FROM chats WHERE id = $1 FOR UPDATE", "select chats"],
    ['UPDATE "users" SET "name" = \'x\'', "update users"],
    ["WITH gone AS (DELETE FROM chats RETURNING 1) SELECT count(*) FROM gone", "delete chats"],
    ["INSERT INTO users (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 1", "insert users"],
    ["SELECT 'it''s; DELETE FROM users' FROM chats", "select chats"],
    ["SELECT evil FROM somewhere", "select"],
    ["START TRANSACTION;", "start"],
    ["VACUUM evil", "other"],
  ])("%s is %s", (sql, name) => {
    expect(queryName(sql, tables)).toBe(name);
  });
});
