import "fake-indexeddb/auto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { transform } from "esbuild";
import sharp from "sharp";
import WebSocket from "ws";
import { invite } from "../../../test/support/invites.ts";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { createGroup } from "../../../test/support/scenes.ts";
import * as account from "../src/account-entry.ts";
import * as sdk from "../src/index.ts";
import { file } from "../src/node.ts";
import { client, live, liveClient, opened, until } from "./support/client.ts";

/* Every TypeScript block of the README is compiled in strict mode and run against a server. */

const server = useMessenger({ INVITES_BY: "members", PUBLIC_URL: "https://chat.example.org" });
const readme = readFileSync(join(__dirname, "../README.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "messenger-readme-"));
const ownWebSocket = globalThis.WebSocket;

beforeAll(() => {
  Object.assign(globalThis, { WebSocket });
});
afterAll(() => {
  Object.assign(globalThis, { WebSocket: ownWebSocket });
  rmSync(folder, { recursive: true });
});

interface Block {
  title: string;
  code: string;
}

const blocks: Block[] = readme.split("\n## ").flatMap((section) => {
  const title = section.slice(0, section.indexOf("\n"));
  const found = [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  return found.map((code, index) => ({ title: index === 0 ? title : `${title} (${index + 1})`, code }));
});

/** What the snippets import. Those of frameworks have only the contract of what is used. */
const modules: Record<string, object> = {
  get "messenger-client"() {
    class Messenger extends sdk.Messenger {
      constructor(options: sdk.MessengerOptions) {
        super({ ...options, url: `http://127.0.0.1:${server().port}` });
        opened.push(this);
      }
    }
    return { ...sdk, Messenger };
  },
  get "messenger-client/account"() {
    class AccountLinks extends account.AccountLinks {
      constructor() {
        super({ url: `http://127.0.0.1:${server().port}` });
      }
    }
    return { ...account, AccountLinks };
  },
  "messenger-client/node": { file: () => file(join(folder, "store.jsonl")) },
  react: {
    useCallback: <T>(callback: T) => callback,
    useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, snapshot: () => T): T {
      subscribe(() => {})();
      expect(snapshot()).toBe(snapshot());
      return snapshot();
    },
  },
  "@preact/signals-core": { signal: <T>(value: T) => ({ value }) },
};

/** What the snippets use without having made it. */
async function scene() {
  const ann = await server().person("Ann");
  const bob = await server().person("Bob");
  const messenger = await liveClient(server(), ann);
  const bobsMessenger = await liveClient(server(), bob);
  const chat = messenger.dialogWith(bob.id);
  const { messageId } = await chat.send("Hello").sent;
  await bobsMessenger.dialogWith(ann.id).send("Hello yourself").sent;
  await until(chat.summary, ({ unread }) => unread === 1);
  const shown: unknown[][] = [];
  const colour = { create: { width: 20, height: 20, channels: 3, background: "#c33" } } as const;
  return {
    names: {
      bytes: new Uint8Array(await sharp(colour).png().toBuffer()),
      messenger,
      chat,
      bobId: bob.id,
      messageId,
      email: ann.email,
      password,
      show: (...values: unknown[]) => shown.push(values),
      console: { log: (...values: unknown[]) => shown.push(values) },
    },
    ann,
    messenger,
    chat,
    shown,
    bobsChat: bobsMessenger.dialogWith(ann.id),
  };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** An invite to a group. */
const inviteToTea = async ({ ann }: Scene) =>
  invite(server(), ann, { groupIds: [await createGroup(await ann.connect(), [], "Tea")] });

/** What a snippet has to have done. */
const outcomes: Record<string, (scene: Scene) => unknown> = {
  "First message": ({ shown }) => expect(shown).toEqual([[expect.stringMatching(/^Message 1 was sent at 20/)]]),
  "Values that change": ({ shown, messenger }) => expect(shown).toEqual([[1], [messenger.chats.value]]),
  "Log in": ({ shown }) => expect(shown).toEqual([["Ann"]]),
  "Log in (2)": ({ shown }) =>
    expect(shown).toEqual([
      ["Ann invites you to Tea"],
      [expect.stringMatching(/^https:\/\/chat\.example\.org\/invite#./)],
    ]),
  Connection: ({ shown }) => expect(shown).toEqual([["live"]]),
  Chats: ({ shown }) => expect(shown).toEqual([["Bob (1): Hello yourself", expect.any(Number)]]),
  Timeline: ({ shown }) =>
    expect(shown.slice(0, 2)).toEqual([
      ["Ann: Hello (sent)", expect.any(String)],
      ["Bob: Hello yourself (sent)", expect.any(String)],
    ]),
  Send: ({ bobsChat }) => until(bobsChat.timeline(), ({ messages }) => messages.at(-1)?.text === "See you at nine"),
  "Send (2)": async ({ shown, chat }) => {
    expect(shown).toEqual([[expect.stringMatching(/^VALIDATION: /)], ["VALIDATION"]]);
    expect(chat.timeline().value.messages).toHaveLength(2);
  },
  Files: ({ shown }) =>
    expect(shown).toEqual([[expect.stringMatching(/^plan\.txt, 17 bytes, /)], ["Rome, then Naples"]]),
  "Edit and delete": ({ bobsChat }) =>
    until(bobsChat.timeline(), ({ messages }) => typeof messages[0]?.deletedAt === "string"),
  Groups: ({ messenger }) => until(messenger.chats, (chats) => chats.every(({ kind }) => kind === "dialog")),
  "Typing and presence": ({ shown }) => expect(shown).toEqual([[[]], [null]]),
  "Read state": ({ shown, bobsChat }) => {
    expect(shown[0]).toEqual([0]);
    return until(bobsChat.readBy, ([peer]) => peer?.seq === 2);
  },
  "React and pin": ({ shown }) => expect(shown).toContainEqual(["Ann: 👍"]),
  "Mute, archive, pin chats": ({ shown }) =>
    expect(shown).toEqual([
      [{ muted: true, archived: true, pinned: expect.any(Number), markedUnread: true, badge: 0, alerts: "none" }],
    ]),
  "Drafts and preferences": ({ shown }) =>
    expect(shown).toEqual([["I will be", expect.any(Number)], [{ theme: "dark" }]]),
  People: ({ shown }) => expect(shown).toEqual([[true, expect.any(Number)]]),
  Avatars: ({ shown }) => expect(shown).toEqual([[expect.stringMatching(/^[0-9a-f]{32}$/)], ["initials"]]),
  Events: ({ shown }) => expect(shown).toEqual([["message", expect.any(Number), "Now"]]),
  "Log out": ({ messenger }) => expect(messenger.connection.value).toEqual({ state: "loggedOut" }),
  Errors: ({ shown }) => expect(shown).toEqual([["E-mail or password is wrong"]]),
  "Raw requests": ({ messenger }) => until(messenger.user, (user) => user?.firstName === "Anna"),
};

/** What happens while a snippet runs. */
const meanwhile: Record<string, (scene: Scene) => unknown> = {
  Events: ({ bobsChat }) => bobsChat.send("Now").sent,
};

/** Makes an async function of a snippet; it is given what the snippet uses. */
async function compile(code: string): Promise<(names: object) => Promise<void>> {
  const withoutImports = code
    .replace(/^import type .*$/gm, "")
    .replace(/^import \{(.*)\} from (.*);$/gm, "const {$1} = modules[$2];");
  const { code: plain } = await transform(withoutImports, { loader: "ts", target: "es2022" });
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  return (names) => new AsyncFunction(...Object.keys(names), "modules", `{${plain}}`)(...Object.values(names), modules);
}

const run = async (code: string, names: object): Promise<void> => (await compile(code))(names);

test.each(blocks.map((block) => [block.title, block] as const))("%s: the snippet runs", async (title, { code }) => {
  const prepared = await scene();
  if (title === "First message") {
    const body = { email: "ann@example.org", password: "correct horse battery", firstName: "Ann" };
    await server().http("POST", "/auth/register", { body });
  }
  const { token } = title === "Log in (2)" ? await inviteToTea(prepared) : {};
  const start = await compile(code);
  // It has begun when something happens: compiling takes longer than sending.
  const running = start({ ...prepared.names, token });
  await meanwhile[title]?.(prepared);
  await running;
  await outcomes[title]?.(prepared);
});

test("the list of what the snippets do has no other titles", () => {
  const titles = blocks.map(({ title }) => title);
  expect(titles).toEqual(expect.arrayContaining([...Object.keys(outcomes), ...Object.keys(meanwhile)]));
});

test("a bot of the section Bots answers", async () => {
  const { messenger, chat, bobsChat } = await scene();
  const code = blocks.find(({ title }) => title === "Bots")?.code.replace("stop();", "") ?? "";
  await run(code, { messenger });
  await until(bobsChat.timeline(), ({ messages }) => messages.at(-1)?.text === "You said: Hello yourself");
  await bobsChat.send("Again").sent;
  await until(bobsChat.timeline(), ({ messages }) => messages.at(-1)?.text === "You said: Again");
  await until(chat.summary, ({ unread }) => unread === 0);
});

test("the store of the section Stores resumes a session", async () => {
  const code = blocks.find(({ title }) => title === "Stores (2)")?.code ?? "";
  const found: { store?: sdk.Store } = {};
  await run(`${code}\nfound.store = store;`, { found });
  const { store } = found;
  if (!store) throw new Error("there is no store");
  const first = await liveClient(server(), await server().person(), { store });
  await first.close();
  const second = client(server(), { store });
  expect(await second.resume()).toBe(true);
  await live(second);
});

test("an observable is a Svelte store: `subscribe` calls its listener at once and returns a function", async () => {
  expect(readme).toContain("{#each $chats as chat (chat.id)}");
  const { messenger } = await scene();
  const { chats } = messenger;
  const values: unknown[] = [];
  chats.subscribe((value) => values.push(value))();
  expect(values).toEqual([chats.value]);
});

test("the first message takes ten lines", () => {
  const code = blocks.find(({ title }) => title === "First message")?.code ?? "";
  expect(code.split("\n").filter(Boolean).length).toBeLessThanOrEqual(10);
});

test("the links to sections have targets", () => {
  const anchors = [...readme.matchAll(/^## (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^a-z -]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const [, anchor] of readme.matchAll(/\(#(.*?)\)/g)) expect(anchors).toContain(anchor);
});

test("the snippets are right in strict TypeScript", () => {
  const dist = join(__dirname, "../dist");
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    module: "esnext",
    moduleResolution: "bundler",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    paths: {
      "messenger-client": [join(dist, "index.d.ts")],
      "messenger-client/account": [join(dist, "account-entry.d.ts")],
      "messenger-client/node": [join(dist, "node.d.ts")],
    },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  writeFileSync(
    join(folder, "names.d.ts"),
    `declare const messenger: import("messenger-client").Messenger;
declare const chat: import("messenger-client").Chat;
declare const bobId: number, messageId: number, email: string, password: string, token: string;
declare const bytes: Uint8Array<ArrayBuffer>;
declare const show: (...values: unknown[]) => void;
declare module "react" {
  export function useCallback<T>(callback: T, dependencies: unknown[]): T;
  export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, snapshot: () => T): T;
}
declare module "@preact/signals-core" { export function signal<T>(value: T): { value: T }; }
`,
  );
  for (const [index, { code }] of blocks.entries()) {
    writeFileSync(join(folder, `block-${index}.ts`), `${code}\nexport {};\n`);
  }
  execFileSync(join(__dirname, "../../../node_modules/.bin/tsc"), ["-p", folder]);
});
