import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { liveClient, until } from "./support/client.ts";
import { Program } from "./support/program.ts";

/* The examples are run as they are, from the built package. */

const server = useMessenger();
const examples = join(__dirname, "../examples");
const tsx = pathToFileURL(require.resolve("tsx")).href;
const running: Program[] = [];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "messenger-example-"));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.end("SIGKILL")));
  rmSync(folder, { recursive: true });
});

function start(name: string, parameters: readonly string[], environment: Record<string, string> = {}): Program {
  const program = new Program(folder, ["--import", tsx, join(examples, name), ...parameters], environment);
  running.push(program);
  return program;
}

const url = () => `http://127.0.0.1:${server().port}`;

test("the echo bot answers each message once, also those it received while it was killed", async () => {
  const bot = await server().person("Echo");
  const ann = await liveClient(server(), await server().person("Ann"));
  const chat = ann.dialogWith(bot.id);
  const timeline = chat.timeline();
  const settings = { MESSENGER_URL: url(), BOT_EMAIL: bot.email, BOT_PASSWORD: password };

  const first = start("echo-bot.ts", [], settings);
  await chat.send("one").sent;
  await until(timeline, ({ messages }) => messages.at(-1)?.text === "You said: one");
  await first.end("SIGKILL");
  await chat.send("two").sent;

  const second = start("echo-bot.ts", [], settings);
  await until(timeline, ({ messages }) => messages.at(-1)?.text === "You said: two");
  expect(timeline.value.messages.map(({ text }) => text)).toEqual(["one", "You said: one", "two", "You said: two"]);
  await second.end("SIGTERM");
  expect(second.exitCode).toBe(0);
});

test("two people chat in the terminal", async () => {
  const bob = await liveClient(server(), await server().person("Bob"));
  const zoe = start("terminal-chat.ts", [url(), "zoe@example.org", password, "Zoe"]);
  await zoe.waitFor("/quit");
  await zoe.waitFor("(connecting) > ");
  await zoe.waitFor("(syncing) > ");
  await zoe.waitFor("> ");
  const [found] = (await bob.people.search("Zoe")).data;
  if (!found) throw new Error("Zoe is not registered");
  const chat = bob.dialogWith(found.id);

  await chat.send("Hello Zoe").sent;
  await zoe.waitFor("(Bob) Bob: Hello Zoe");
  zoe.type("/chats");
  await zoe.waitFor("1. Bob (1 unread): Bob: Hello Zoe");
  zoe.type("/open 1");
  await zoe.waitFor("Bob> ");
  await until(chat.readBy, ([reader]) => reader?.seq === 1);

  zoe.type("Hello Bob");
  await until(chat.timeline(), ({ messages }) => messages.at(-1)?.text === "Hello Bob");
  zoe.type("x".repeat(5000));
  await zoe.waitFor("[failed: ");
  zoe.type("/discard");
  zoe.type("/older");
  zoe.type("/nothing");
  await zoe.waitFor("/quit");
  zoe.type("/quit");
  await zoe.ended;
  expect(zoe.exitCode).toBe(0);

  const again = start("terminal-chat.ts", [url(), "zoe@example.org"]);
  await again.waitFor("1. Bob: Zoe: Hello Bob");
  again.type("/to Bob");
  await again.waitFor("Bob> ");
  again.type("I am back");
  await until(chat.timeline(), ({ messages }) => messages.at(-1)?.text === "I am back");
});

test("the terminal says why a log-in was refused", async () => {
  const program = start("terminal-chat.ts", [url(), "nobody@example.org", "a wrong password"]);
  await program.waitFor("BAD_CREDENTIALS");
  await program.ended;
  expect(program.exitCode).toBe(1);
});
