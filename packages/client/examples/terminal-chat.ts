/* A chat in the terminal: `tsx terminal-chat.ts http://localhost:3000 ann@example.org "a long sentence" Ann`. A name registers. */
import { createInterface } from "node:readline";
import { type Chat, type Message, Messenger, type MessengerError, type Timeline } from "messenger-client";
import { file } from "messenger-client/node";
import WebSocket from "ws";

const [url = "http://localhost:3000", email = "", password = "", firstName] = process.argv.slice(2);
const help = "/chats  /open NUMBER  /to NAME  /older  /retry  /discard  /quit; anything else is sent";
const messenger = new Messenger({ url, WebSocket, store: file(`data/${email}.jsonl`) });
const terminal = createInterface({ input: process.stdin, output: process.stdout });
let chat: Chat | undefined;
let timeline: Timeline | undefined;
let listed: (Chat | undefined)[] = [];
let shown = new Map<string, string>();

/** Writes a line above the one that is being typed. */
function print(line: string): void {
  process.stdout.write(`\r\u001b[K${line}\n`);
  terminal.prompt(true);
}

function lineOf({ state, senderName, text, deletedAt, notification, error }: Message): string {
  const status = state === "sent" ? "" : ` [${state}${error ? `: ${error.message}` : ""}]`;
  return notification ? `* ${text}` : `${senderName}: ${deletedAt ? "(deleted)" : text}${status}`;
}

function prompt(): void {
  const { state } = messenger.connection.value;
  terminal.setPrompt(`${state === "live" ? "" : `(${state}) `}${chat?.summary.value.title ?? ""}> `);
  terminal.prompt(true);
}

function open(next: Chat): void {
  timeline?.close();
  chat = next;
  shown = new Map();
  timeline = chat.timeline();
  timeline.subscribe(({ messages }) => {
    for (const message of messages) {
      const line = lineOf(message);
      if (shown.get(message.key) !== line) print(line);
      shown.set(message.key, line);
    }
    next.markRead();
  });
  prompt();
}

function list(): void {
  listed = messenger.chats.value.map(
    ({ id, peer }) => (peer ? messenger.dialogWith(peer.id) : id && messenger.chat(id)) || undefined,
  );
  for (const [index, { title, unread, lastMessage }] of messenger.chats.value.entries())
    print(`${index + 1}. ${title}${unread ? ` (${unread} unread)` : ""}: ${lastMessage ? lineOf(lastMessage) : ""}`);
}

async function execute(line: string): Promise<void> {
  const [command, ...words] = line.split(" ");
  if (command === "/chats") list();
  else if (command === "/open") {
    const found = listed[Number(words[0]) - 1];
    if (found) open(found);
  } else if (command === "/to") {
    const [person] = (await messenger.people.search(words.join(" "))).data;
    if (person) open(messenger.dialogWith(person.id));
    else print("Nobody has this name.");
  } else if (command === "/older") await timeline?.loadOlder();
  else if (command === "/retry") for (const message of timeline?.value.messages ?? []) message.retry?.();
  else if (command === "/discard") for (const message of timeline?.value.messages ?? []) message.discard?.();
  else if (command === "/quit") await quit();
  else if (command?.startsWith("/") || !chat) print(help);
  else if (line) chat.send(line);
}

async function quit(): Promise<void> {
  timeline?.close();
  terminal.close();
  process.stdin.destroy();
  await messenger.close();
}

const printError = (error: MessengerError) => print(`${error.code}: ${error.message}`);

try {
  if (firstName) await messenger.register({ email, password, firstName });
  else if (!(await messenger.resume())) await messenger.login({ email, password });
  messenger.connection.subscribe(prompt);
  messenger.on("message", ({ chat: other, message }) => {
    if (other !== chat && !message.isMine) print(`(${other.summary.value.title}) ${lineOf(message)}`);
  });
  print(help);
  list();
  terminal.on("line", (line) => void execute(line.trim()).catch(printError));
  terminal.on("close", () => void messenger.close());
} catch (error) {
  printError(error as MessengerError);
  process.exitCode = 1;
  await quit();
}
