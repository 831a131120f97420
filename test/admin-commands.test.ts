import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { tokenOf } from "./support/admin.ts";
import { runCommand } from "./support/command.ts";
import { makeDatabase, type TestDatabase } from "./support/databases.ts";
import { Device } from "./support/device.ts";
import { registerSecret } from "./support/leak-scan.ts";
import { describeOnTerminal } from "./support/prerequisites.ts";
import { ServerProcess, startFlags } from "./support/process.ts";
import { account, post } from "./support/processes.ts";
import { chatHistory, numbers, sendPrivately } from "./support/scenes.ts";

/* What administrators do on the command line, beside a running server. One test after the other, with the same accounts. */

jest.setTimeout(120_000);

let database: TestDatabase;
let server: ServerProcess;
const people = {} as Record<"grace" | "bob" | "carol", { id: number; email: string; token: string }>;

beforeAll(async () => {
  database = await makeDatabase();
  server = await ServerProcess.start(database.settings);
});
afterAll(async () => {
  await server.stop("SIGKILL");
  await database.remove();
});

const run = (...words: string[]) => runCommand(words, { ...database.settings, PUBLIC_URL: "https://chat.example.org" });

async function runWell(...words: string[]): Promise<string> {
  const { code, output, errors } = await run(...words);
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
  return output;
}

async function register(firstName: string) {
  const email = `${firstName.toLowerCase()}@example.test`;
  const { user, token } = await post(server, "/auth/register", { ...account, email, firstName });
  return { id: user.id, email, token };
}

const connect = (token: string): Promise<Device> =>
  Device.connect(`ws://127.0.0.1:${server.port}`, { protocols: ["messenger.v1", `bearer.${token}`] });

async function logIn(email: string): Promise<{ code?: string; token: string; user: { role: string } }> {
  const response = await fetch(`http://127.0.0.1:${server.port}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password: account.password }),
  });
  return (await response.json()) as { code?: string; token: string; user: { role: string } };
}

describeOnTerminal("npm start on a terminal", () => {
  test("prints the link in development, and never logs it", async () => {
    const own = await makeDatabase();
    const start = [process.execPath, ...startFlags, join(__dirname, "../dist/main.js")].join(" ");
    const env = { PATH: process.env.PATH, PORT: "0", BCRYPT_COST: "4", NODE_ENV: "development", ...own.settings };
    const child = spawn("script", ["-qefc", start, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    const printed = new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk;
        if (/setup#[\w-]{43}/.test(output)) resolve();
      });
      child.once("close", () => reject(new Error(`no link was printed: ${output}`)));
    });
    const closed = new Promise((resolve) => child.once("close", resolve));
    await printed;
    // Ctrl+C.
    child.stdin.write("\u0003");
    await closed;
    expect(output.match(/setup#/g)).toHaveLength(1);
    expect(output).toMatch(/^Create the first administrator within 30 minutes: http\S+\/setup#[\w-]{43}\r$/m);
    await own.remove();
  });
});

describe("on the command line", () => {
  test("a server without administrator says so, and setup-link prints the link to make one", async () => {
    await server.waitForOutput(/there is no administrator: run `messenger setup-link`/);
    const output = await runWell("setup-link");
    expect(output).toMatch(/^http\S+\/setup#[\w-]{43}\n$/);
    const token = tokenOf(output.trim());
    registerSecret(token, "text");
    const email = "grace@example.test";
    const session = await post(server, "/auth/setup", { ...account, token, email, firstName: "Grace" });
    people.grace = { id: session.user.id, email, token: session.token };
    expect(session.user).toMatchObject({ role: "admin" });
    expect(server.output).not.toContain(token);
    expect(await run("setup-link")).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringContaining("There is an administrator already."),
    });
  });

  test("users suspend closes the sockets, and users resume lets the user in again", async () => {
    people.bob = await register("Bob");
    const device = await connect(people.bob.token);
    expect(await runWell("users", "suspend", people.bob.email)).toContain("is suspended");
    expect(await device.closed).toMatchObject({ code: 4401 });
    expect((await logIn(people.bob.email)).code).toBe("SUSPENDED");
    const list = async (...words: string[]) =>
      JSON.parse(await runWell("users", "list", "--json", ...words)).data.map(({ email }: { email: string }) => email);
    expect(await list("--status", "suspended")).toEqual([people.bob.email]);
    expect(await list("--role", "admin")).toEqual([people.grace.email]);
    expect(await runWell("users", "list", "--search", "BOB")).toMatch(/bob@example\.test +Bob +user +suspended /);
    await runWell("users", "resume", people.bob.email);
    people.bob.token = (await logIn(people.bob.email)).token;
  });

  test("users grant-admin and revoke-admin change the role, but never of the last administrator", async () => {
    await runWell("users", "grant-admin", people.bob.email);
    expect((await logIn(people.bob.email)).user.role).toBe("admin");
    await runWell("users", "revoke-admin", people.bob.email);
    for (const words of [["revoke-admin"], ["suspend"], ["delete", "--yes"]]) {
      const [command = "", ...options] = words;
      expect(await run("users", command, people.grace.email, ...options)).toMatchObject({
        code: 1,
        errors: "This is the last administrator. Make somebody else an administrator first\n",
      });
    }
  });

  test("users delete --erase deletes all messages, also if the server is killed meanwhile", async () => {
    people.carol = await register("Carol");
    const [bob, carol] = [await connect(people.bob.token), await connect(people.carol.token)];
    const texts = numbers(1, 800).map((n) => `message ${n}`);
    await Promise.all(texts.map((text) => sendPrivately(carol, people.bob.id, text)));
    const { chatId } = await sendPrivately(bob, people.carol.id, "an answer");
    expect(await runWell("users", "delete", people.carol.email, "--erase", "--yes")).toContain("are being deleted");
    expect(await carol.closed).toMatchObject({ code: 4403 });
    const push = await bob.nextPush("deleteMessage");
    expect(push.params.item).toMatchObject({ chatId, change: { kind: "delete", by: null }, message: "" });
    await server.stop("SIGKILL");

    server = await ServerProcess.start(database.settings);
    const device = await connect(people.bob.token);
    for (let seq = 0; seq < texts.length; ) {
      const { params } = await device.request("getMessages", { chatId, limit: 100, after: seq });
      if (params.data.some(({ deletedAt, senderId }) => senderId !== people.bob.id && !deletedAt)) continue;
      seq = params.data.at(-1)?.seq ?? texts.length;
    }
    expect((await chatHistory(device, chatId)).at(-1)?.message).toBe("an answer");
    expect(JSON.parse((await run("fsck", "--json")).output).violations).toEqual([]);
  });

  test("each action is recorded", async () => {
    await runWell("users", "reset-password", people.bob.email).then((output) =>
      registerSecret(/is (\S+)\n/.exec(output)?.[1], "password"),
    );
    await runWell("new-epoch");
    const { token } = await logIn(people.grace.email);
    const response = await fetch(`http://127.0.0.1:${server.port}/admin/audit?limit=100`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { data } = (await response.json()) as { data: { action: string; source: string; targetId: number }[] };
    const { grace, bob, carol } = people;
    expect(data.map(({ action, source, targetId }) => [action, source, targetId])).toEqual([
      ["data.new-epoch", "cli", null],
      ["user.reset-password", "cli", bob.id],
      ["user.erase", "cli", carol.id],
      ["user.delete", "cli", carol.id],
      ["user.role", "cli", bob.id],
      ["user.role", "cli", bob.id],
      ["user.resume", "cli", bob.id],
      ["user.suspend", "cli", bob.id],
      ["setup", "http", grace.id],
    ]);
  });
});
