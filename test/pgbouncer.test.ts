import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { checkDatabase } from "../src/cli/doctor/database.ts";
import { readSettings } from "../src/config/read-settings.ts";
import { findPooling } from "../src/db/pooler.ts";
import { Cluster, canCreateClusters, freePort } from "./support/cluster.ts";
import { onDatabase } from "./support/on-database.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, register } from "./support/processes.ts";
import { numbers, sendPrivately } from "./support/scenes.ts";

/* PgBouncer between the messenger and PostgreSQL. Skipped where it is not installed, in CI too. */

const program = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  .map((folder) => join(folder, "pgbouncer"))
  .find((path) => existsSync(path));

const ignoredParameters =
  "ignore_startup_parameters = extra_float_digits,statement_timeout,lock_timeout,idle_in_transaction_session_timeout";

(program && canCreateClusters ? describe : describe.skip)("a messenger behind PgBouncer", () => {
  let cluster: Cluster;
  let databases = 0;
  let folder: string;
  const bouncers: ChildProcess[] = [];
  const running: ServerProcess[] = [];

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop("SIGKILL")));
    for (const child of bouncers.splice(0)) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  afterAll(() => cluster?.remove());

  /** Starts PgBouncer in front of a new database and returns its URL. */
  async function startBouncer(lines: string[]): Promise<string> {
    const name = `pooled${++databases}`;
    await onDatabase(cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    folder = await mkdtemp(join(tmpdir(), "messenger-pgbouncer-"));
    await chmod(folder, 0o755);
    const port = await freePort();
    const settings = ["listen_addr=127.0.0.1", `listen_port=${port}`, "unix_socket_dir=", "auth_type=any", ...lines];
    const database = `${name} = host=127.0.0.1 port=${cluster.port} user=postgres`;
    const file = join(folder, "pgbouncer.ini");
    await writeFile(file, `[databases]\n${database}\n[pgbouncer]\n${settings.join("\n")}\n`);
    const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
    bouncers.push(spawn(program ?? "", [...asUser, file], { stdio: "ignore" }));
    await listening(port);
    return `postgres://postgres@127.0.0.1:${port}/${name}`;
  }

  async function listening(port: number): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const isUp = await new Promise<boolean>((resolve) => {
        const socket = createConnection(port, "127.0.0.1", () => resolve(socket.destroy() !== undefined));
        socket.on("error", () => resolve(false));
      });
      if (isUp) return;
      if (performance.now() > deadline) throw new Error("PgBouncer does not listen");
    }
  }

  function spawnServer(url: string): ServerProcess {
    const server = ServerProcess.spawn({ DATABASE_URL: url, JWT_SECRET: "for tests only, and long enough for them" });
    running.push(server);
    return server;
  }

  test.each([
    ["with its default settings", []],
    ["that ignores the usual start-up parameters", [ignoredParameters]],
    ["that returns server connections in turns", ["server_round_robin = 1"]],
    ["that has a single server connection to spare", ["default_pool_size = 12"]],
  ])("%s works in session mode, with its timeouts", async (_what, lines) => {
    const url = await startBouncer(["pool_mode = session", ...lines]);
    expect(await findPooling(url)).toBe("session");
    const server = spawnServer(url);
    await server.waitForOutput(/WebSocket: /);
    const { user, token } = await register(server);
    const device = await connect(server, token);
    await Promise.all(numbers(1, 50).map((n) => sendPrivately(device, user.id, `message ${n}`)));
    const response = await fetch(`http://127.0.0.1:${server.port}/health/ready`);
    expect(await response.json()).toMatchObject({ status: "ready", checks: { database: "ok" } });
    expect(server.output).not.toMatch(/WARN.*(database|PgBouncer)|ERROR/);
  });

  test.each(["transaction", "statement"])(
    "fails to start in %s mode without prepared statements, with one line",
    async (mode) => {
      for (const lines of [[], ["server_round_robin = 1"], [ignoredParameters]]) {
        const url = await startBouncer([`pool_mode = ${mode}`, ...lines]);
        const { code, output } = await spawnServer(url).exited;
        expect(output.trim()).toMatch(
          new RegExp(
            `^The database cannot be used: PgBouncer pools ${mode}s \\(pool_mode = ${mode}\\).* Set pool_mode = session`,
          ),
        );
        expect({ code, lines: output.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
      }
    },
  );

  test("in transaction mode without prepared statements is found by the doctor, with what to do", async () => {
    const url = await startBouncer(["pool_mode = transaction"]);
    expect(await checkDatabase(readSettings({ DATABASE_URL: url }))).toEqual({
      findings: [
        {
          level: "error",
          what: expect.stringMatching(/PgBouncer pools transactions .* does not keep prepared statements\.$/),
          why: expect.any(String),
          fix: expect.stringMatching(/^Set pool_mode = session in PgBouncer/),
        },
      ],
    });
  });

  test("in session mode is nothing to report for the doctor", async () => {
    const url = await startBouncer(["pool_mode = session"]);
    expect((await checkDatabase(readSettings({ DATABASE_URL: url }))).findings).toEqual([]);
  });

  test("is not there: a direct connection is not pooled", async () => {
    expect(await findPooling(cluster.url)).toBe("none");
  });
});
