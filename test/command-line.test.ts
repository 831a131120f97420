import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { runCommand as messenger } from "./support/command.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { Device } from "./support/device.ts";
import { registerSecret } from "./support/leak-scan.ts";
import { ServerProcess } from "./support/process.ts";

/* The command line, run like administrators run it: beside a running server, and without one. */

jest.setTimeout(120_000);

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase();
});
afterAll(() => database.remove());

const run = (...words: string[]) => messenger(words, { ...database.settings, PUBLIC_URL: "https://chat.example.test" });

async function manageUsers(): Promise<void> {
  const created = await run("users", "create", "ann@example.test", "--first-name", "Ann", "--json");
  expect(created.errors).toBe("");
  const { email, password } = JSON.parse(created.output);
  registerSecret(password, "password");
  expect(email).toBe("ann@example.test");
  expect(await run("users", "create", "ANN@example.test", "--first-name", "Ann")).toMatchObject({
    code: 1,
    errors: "This e-mail address is already in use\n",
  });
  expect(JSON.parse((await run("users", "list", "--json")).output).data).toEqual([
    expect.objectContaining({ email: "ann@example.test", firstName: "Ann", sessions: 0 }),
  ]);
  expect((await run("users", "show", "ann@example.test")).output).toContain("ann@example.test");
  expect(await run("users", "show", "bob@example.test")).toMatchObject({ code: 1, errors: "There is no such user\n" });
  expect(JSON.parse((await run("fsck", "--json")).output)).toMatchObject({ violations: [] });
}

/** @param origin the address of the running server */
async function manageInvites(origin: string): Promise<void> {
  const created = await run("invites", "create", "--email", "new@example.test", "--expires-in-hours", "2", "--json");
  expect(created.errors).toBe("");
  const { id, token, url } = JSON.parse(created.output);
  registerSecret(token, "text");
  expect(url).toBe(`https://chat.example.test/invite#${token}`);
  const read = () => fetch(`${origin}/invites/${token}`);
  expect(await (await read()).json()).toEqual({ invitedBy: "Messenger", groupNames: [], email: "new@example.test" });
  expect(JSON.parse((await run("invites", "list", "--json")).output).data).toEqual([
    expect.objectContaining({ id, createdBy: null, email: "new@example.test", maxUses: 1, uses: 0, revokedAt: null }),
  ]);
  expect(await run("invites", "revoke", String(id))).toMatchObject({ code: 0, output: `Invite ${id} is revoked.\n` });
  expect((await read()).status).toBe(404);
  expect((await run("invites", "list")).output).toMatch(/command line +new@example\.test +0 of 1/);
  expect(await run("invites", "revoke", "12345")).toMatchObject({ code: 1, errors: "There is no such invite\n" });
}

describe("the command line", () => {
  test("without a running server opens the database itself", manageUsers);

  test("beside a running server works on its database, and its sockets notice", async () => {
    const server = await ServerProcess.start({ ...database.settings, PUBLIC_URL: "https://chat.example.test" });
    try {
      const reset = JSON.parse((await run("users", "reset-password", "ann@example.test", "--json")).output);
      registerSecret(reset.password, "password");
      const response = await fetch(`http://127.0.0.1:${server.port}/auth/login`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ email: "ann@example.test", password: reset.password }),
      });
      expect(response.status).toBe(200);
      const { token } = (await response.json()) as { token: string };
      const connect = () =>
        Device.connect(`ws://127.0.0.1:${server.port}`, { protocols: ["messenger.v1", `bearer.${token}`] });
      const device = await connect();
      expect((await run("new-epoch")).code).toBe(0);
      expect(await device.closed).toMatchObject({ code: 1012 });
      const other = await connect();
      expect((await run("sessions", "revoke", "ann@example.test")).output).toBe("1 session has ended.\n");
      expect(await other.closed).toMatchObject({ code: 4401 });
      await manageInvites(`http://127.0.0.1:${server.port}`);
    } finally {
      await server.stop("SIGTERM");
    }
  });

  test.each([
    [["nonsense"], "unknown command"],
    [["users", "show"], "missing required argument"],
    [["users", "list", "--nonsense"], "unknown option"],
    [["users", "create", "nobody", "--first-name", "Ann"], "must be an e-mail address"],
    [["fsck", "--chat", "x"], "must be the id of a chat"],
    [["invites", "create", "--max-uses", "0"], "must be greater than or equal to 1"],
    [["users", "list", "--role", "owner"], '"role" must be one of'],
    [["users", "delete", "ann@example.test"], "Confirm it with --yes."],
  ])("%j is wrong usage: exit code 2", async (words, reason) => {
    const { code, errors } = await run(...words);
    expect(code).toBe(2);
    expect(errors).toContain(reason);
  });

  test("prints its help and its version", async () => {
    expect(await run("--help")).toMatchObject({ code: 0, output: expect.stringContaining("users") });
    expect(await run("users", "--help")).toMatchObject({ code: 0, output: expect.stringContaining("reset-password") });
    expect(await run("--version")).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test("finds no database where there is none, and makes none", async () => {
    if (onServer) return;
    const folder = await mkdtemp(join(tmpdir(), "messenger-test-"));
    const { code, errors } = await messenger(["users", "list"], { DATA_DIR: join(folder, "nowhere") });
    await rm(folder, { recursive: true });
    expect(code).toBe(1);
    expect(errors).toContain("There is no database in the data folder");
  });
});

describe("config", () => {
  test("prints values, units and where they come from, with masked secrets", async () => {
    const folder = await mkdtemp(join(tmpdir(), "messenger-test-"));
    const secretPath = join(folder, "secret");
    await writeFile(secretPath, "0123456789abcdefghijklmnopqrstuvwxyz\n");
    const settings = {
      JWT_SECRET_FILE: secretPath,
      DATABASE_URL: "postgres://ann:geheim@127.0.0.1:5432/messenger",
      PORT: "4000",
    };
    const { output } = await messenger(["config", "--json"], settings);
    await rm(folder, { recursive: true });
    expect(output).not.toContain("geheim");
    expect(output).not.toContain("0123456789abcdef");
    const rows: { name: string }[] = JSON.parse(output).data;
    const row = (name: string) => rows.find((candidate) => candidate.name === name);
    expect(row("PORT")).toEqual({ name: "PORT", value: 4000, source: "environment", unit: null });
    expect(row("JWT_SECRET")).toEqual({ name: "JWT_SECRET", value: "********", source: "file", unit: null });
    expect(row("KEEP_ALIVE_SECONDS")).toEqual({
      name: "KEEP_ALIVE_SECONDS",
      value: 75,
      source: "default",
      unit: "seconds",
    });
    expect(row("DATABASE_URL")).toMatchObject({ value: "postgres://ann:********@127.0.0.1:5432/messenger" });
  });

  test.each([
    [
      { JWT_SECRET: "x".repeat(40), JWT_SECRET_FILE: "/nowhere" },
      "JWT_SECRET and JWT_SECRET_FILE are both set: unset one.",
    ],
    [{ JWT_SECRET_FILE: "/nowhere" }, "JWT_SECRET_FILE: the file /nowhere cannot be read (ENOENT)."],
  ])("refuses %j", async (settings, error) => {
    expect(await messenger(["config"], settings)).toMatchObject({ code: 1, errors: `${error}\n` });
  });
});

test.each([["config"], ["users list"], ["start"]])(
  "%s with a malformed line of .env names the line, before the settings that it may have been meant for",
  async (command) => {
    const folder = await mkdtemp(join(tmpdir(), "messenger-test-"));
    await writeFile(join(folder, ".env"), "PORT=0\nJWT_SECRET 0123456789abcdefghijklmnopqrstuvwxyz\n");
    const settings = { NODE_ENV: "production", DATA_DIR: folder };
    const { code, output, errors } = await messenger(command.split(" "), settings, folder);
    await rm(folder, { recursive: true });
    const line = "Line 2 of .env is not a setting: write NAME=value, or # for a comment.\n";
    expect({ code, output, errors }).toEqual({ code: 1, output: "", errors: line });
  },
);
