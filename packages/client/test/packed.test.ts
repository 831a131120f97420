import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { describeWithChromium } from "../../../test/support/prerequisites.ts";
import { useBrowser } from "./support/browser.ts";

/* The package as others get it: packed, installed by npm into an empty folder, and used. */

const server = useMessenger();
const root = join(__dirname, "../../..");
const run = promisify(execFile);
let folder = "";
const installed = () => join(folder, "node_modules/messenger-client");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "messenger-packed-"));
  const npm = (cwd: string, ...parameters: string[]) => execFileSync("npm", parameters, { cwd, encoding: "utf8" });
  const tarball = npm(root, "pack", "--silent", "--workspace", "packages/client", "--pack-destination", folder).trim();
  writeFileSync(join(folder, "package.json"), '{"name":"app","version":"1.0.0","type":"module","private":true}');
  npm(folder, "install", "--silent", "--offline", "--no-audit", "--no-fund", `./${tarball}`);
  // What an application has besides.
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  for (const name of ["ws", "@types/ws", "@types/node", "undici-types"]) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("has the module, its types, README and license, and nothing else", () => {
  expect(readdirSync(installed()).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
  const others = readdirSync(join(installed(), "dist")).filter((name) => !/\.(?:js|d\.ts)$/.test(name));
  expect(others).toEqual([]);
});

const program = `
import { Messenger, type Chat, type Message, type Observable, type Store, MessengerError, indexedDb, memory } from "messenger-client";
const messenger = new Messenger({ url: "https://chat.example.org", store: memory() });
const chats: Observable<readonly { readonly title: string }[]> = messenger.chats;
const chat: Chat = messenger.dialogWith(1);
const message: Promise<Message> = chat.send("Hello").sent;
const store: Store = indexedDb();
const answer = await messenger.request("ping", {});
// @ts-expect-error there is no such type
await messenger.request("pong", {});
// @ts-expect-error the params are wrong
await messenger.request("markRead", { chatId: "1" });
// @ts-expect-error chats are made by the messenger
chat.bind({});
export { MessengerError, chats, message, store, answer };
`;

const nodeProgram = `
import { Messenger } from "messenger-client";
import { file } from "messenger-client/node";
import WebSocket from "ws";
export const messenger = new Messenger({ url: "https://chat.example.org", store: file("store"), WebSocket, fetch, log: console });
`;

test.each([
  ["a page", { lib: ["es2022", "dom"], types: [] }, program],
  ["a page of an application that also has the types of Node", { lib: ["es2022", "dom"], types: ["node"] }, program],
  ["Node", { lib: ["es2022"], types: ["node"] }, program + nodeProgram.replace("import { Messenger }", "import {}")],
  ["Node with other settings", { lib: ["es2022"], types: ["node"], exactOptionalPropertyTypes: false }, nodeProgram],
])("the types are right for %s", (name, options, code) => {
  const path = join(folder, name.replaceAll(" ", "-"));
  mkdirSync(path, { recursive: true });
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    esModuleInterop: true,
    noEmit: true,
    ...options,
  };
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  writeFileSync(join(path, "program.mts"), code.replace("export const messenger", "export const bot"));
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", path], { encoding: "utf8" });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  }
});

describeWithChromium("the packed module", () => {
  const browser = useBrowser();

  test("in a Node script and in a page: they write to each other", async () => {
    const ann = await server().person("Ann");
    const bob = await server().person("Bob");
    const url = `http://127.0.0.1:${server().port}`;
    const importMap = JSON.stringify({ imports: { "messenger-client": "/packed/index.js" } });
    const body = `<!doctype html><script type="importmap">${importMap}</script><script type="module">
      import { indexedDb, Messenger } from "messenger-client";
      const messenger = new Messenger({ url: location.origin, store: indexedDb() });
      await messenger.login(${JSON.stringify({ email: ann.email, password })});
      messenger.on("message", ({ message }) => {
        if (!message.isMine) document.title = message.text;
      });
      messenger.dialogWith(${bob.id}).send("Hello from the page");
    </script>`;
    writeFileSync(
      join(folder, "script.js"),
      `import { Messenger } from "messenger-client";
       import { file } from "messenger-client/node";
       import WebSocket from "ws";
       const messenger = new Messenger({ url: ${JSON.stringify(url)}, WebSocket, store: file("script.jsonl") });
       await messenger.login(${JSON.stringify({ email: bob.email, password })});
       messenger.handle("reply", async (message, chat) => {
         console.log(message.text);
         await chat.send("Hello from the script").sent;
         setTimeout(() => messenger.close());
       });`,
    );
    const script = run(process.execPath, ["script.js"], { cwd: folder });
    const page = await (await browser.context()).newPage();
    await page.route(`${url}/packed/*`, (route) => {
      const name = new URL(route.request().url()).pathname.replace("/packed/", "");
      return route.fulfill({
        contentType: "text/javascript",
        body: readFileSync(join(installed(), "dist", name), "utf8"),
      });
    });
    await page.goto(`${url}/health/live`);
    await page.setContent(body);
    await page.waitForFunction(() => document.title === "Hello from the script");
    expect((await script).stdout).toBe("Hello from the page\n");
  });
});
