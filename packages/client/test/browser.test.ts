import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { BrowserContext, Page } from "playwright-core";
import { password, type TestUser, useMessenger } from "../../../test/support/messenger.ts";
import { describeWithChromium } from "../../../test/support/prerequisites.ts";
import type * as sdk from "../src/index.ts";
import { useBrowser } from "./support/browser.ts";
import { liveClient, until } from "./support/client.ts";

/* The module at /client.js in a real browser. */

declare global {
  var sdkModule: typeof sdk;
  var messenger: sdk.Messenger;
  var noteStored: (text: string) => Promise<void>;
}

/** A proxy that can cut its connections. */
async function startProxy(target: number) {
  const open = new Set<Socket>();
  const proxy = createServer((socket) => {
    const upstream = connect(target, "127.0.0.1");
    for (const end of [socket, upstream]) {
      open.add(end);
      end.on("error", () => {}).on("close", () => open.delete(end));
    }
    socket.pipe(upstream).pipe(socket);
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    cut,
    stop() {
      cut();
      proxy.close();
    },
  };
}

describeWithChromium("in Chromium", () => {
  const server = useMessenger();
  const browser = useBrowser();
  const origin = () => `http://127.0.0.1:${server().port}`;

  /** A page of the server's origin that has the module. Chromium lets only a page of a local server open local sockets. */
  async function open(context: BrowserContext, address = origin()): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${address}/health/live`);
    await page.evaluate('import("/client.js").then((sdk) => { globalThis.sdkModule = sdk; })');
    return page;
  }

  const start = (page: Page) =>
    page.evaluate(async () => {
      const { indexedDb, Messenger } = globalThis.sdkModule;
      globalThis.messenger = new Messenger({ url: location.origin, store: indexedDb() });
      return globalThis.messenger.resume();
    });

  const waitForState = (page: Page, state: string) =>
    page.waitForFunction((wanted) => globalThis.messenger.connection.value.state === wanted, state);

  async function logIn(page: Page, user: TestUser): Promise<void> {
    await start(page);
    const body = { email: user.email, password };
    await page.evaluate((credentials) => globalThis.messenger.login(credentials), body);
    await waitForState(page, "live");
  }

  async function resume(page: Page): Promise<void> {
    expect(await start(page)).toBe(true);
    await waitForState(page, "live");
  }

  /** Writes messages as fast as possible, and reports those that are stored. */
  const write = (page: Page, to: number, texts: readonly string[]) =>
    page.evaluate(
      ([userId, all]) => {
        const chat = globalThis.messenger.dialogWith(userId);
        for (const text of all) {
          chat.send(text).stored.then(
            () => globalThis.noteStored?.(text),
            () => {},
          );
        }
      },
      [to, texts] as const,
    );

  const waitUntilSent = (page: Page) =>
    page.waitForFunction(() =>
      globalThis.messenger.chats.value.every(({ lastMessage }) => lastMessage?.state === "sent"),
    );

  /** The texts of a dialog as the page shows them. */
  const shownTexts = (page: Page, peerId: number) =>
    page.evaluate(async (userId) => {
      const timeline = globalThis.messenger.dialogWith(userId).timeline();
      while (timeline.value.hasOlder) await timeline.loadOlder();
      return timeline.value.messages.map(({ text, state }) => (state === "sent" ? text : `${text} (${state})`));
    }, peerId);

  async function textsOf(reader: TestUser, peer: TestUser): Promise<string[]> {
    const messenger = await liveClient(server(), reader);
    const timeline = messenger.dialogWith(peer.id).timeline();
    while (timeline.value.hasOlder) await timeline.loadOlder();
    return timeline.value.messages.map(({ text }) => text);
  }

  const people = async () => ({ ann: await server().person("Ann"), bob: await server().person("Bob") });

  test("whatever was stored when the page is killed is sent once, in order, after the next start", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    const stored: string[] = [];
    await context.exposeFunction("noteStored", (text: string) => void stored.push(text));
    for (const round of [0, 1, 2]) {
      const page = await open(context);
      if (round === 0) await logIn(page, ann);
      else await start(page);
      const texts = Array.from({ length: 60 }, (_, index) => `${round}.${String(index).padStart(3, "0")}`);
      const before = stored.length;
      await write(page, bob.id, texts);
      while (stored.length < before + 20) await new Promise((resolve) => setImmediate(resolve));
      const devTools = await context.newCDPSession(page);
      const crashed = page.waitForEvent("crash");
      devTools.send("Page.crash").catch(() => {});
      await crashed;
    }
    const page = await open(context);
    await resume(page);
    await waitUntilSent(page);

    const received = await textsOf(bob, ann);
    expect(received).toEqual([...new Set(received)].sort());
    expect(received).toEqual(expect.arrayContaining(stored));
    expect(await shownTexts(page, bob.id)).toEqual(received);
  });

  test("without a network messages wait, and are sent when it is back", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    const page = await open(context);
    await logIn(page, ann);
    let sockets = 0;
    page.on("websocket", () => sockets++);

    await context.setOffline(true);
    await waitForState(page, "offline");
    await write(page, bob.id, ["one", "two"]);
    expect(await shownTexts(page, bob.id)).toEqual(["one (queued)", "two (queued)"]);
    await context.setOffline(false);
    await waitForState(page, "live");
    await waitUntilSent(page);
    expect(await textsOf(bob, ann)).toEqual(["one", "two"]);
    expect(sockets).toBe(1);
  });

  test("two tabs send each message once, in order, show the same, and are logged out together", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    const [first, second] = [await open(context), await open(context)];
    await logIn(first, ann);
    await resume(second);
    const texts = (tab: string) => Array.from({ length: 40 }, (_, index) => `${tab} ${String(index).padStart(2, "0")}`);
    await Promise.all([write(first, bob.id, texts("first")), write(second, bob.id, texts("second"))]);

    const bobs = await liveClient(server(), bob);
    await until(bobs.chats, ([chat]) => chat?.unread === 80);
    const received = await textsOf(bob, ann);
    expect(received).toHaveLength(80);
    for (const tab of ["first", "second"]) {
      expect(received.filter((text) => text.startsWith(tab))).toEqual(texts(tab));
    }
    await Promise.all([waitUntilSent(first), waitUntilSent(second)]);
    expect(await shownTexts(first, bob.id)).toEqual(received);
    expect(await shownTexts(second, bob.id)).toEqual(received);

    await first.evaluate(() => globalThis.messenger.logout());
    await waitForState(second, "loggedOut");
    expect(await second.evaluate(() => globalThis.messenger.chats.value)).toEqual([]);
    const third = await open(context);
    expect(await start(third)).toBe(false);
  });

  test("where IndexedDB is forbidden, messages are sent from memory", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    await context.addInitScript(() => {
      const open = () => {
        throw new DOMException("denied", "SecurityError");
      };
      Object.defineProperty(globalThis, "indexedDB", { value: { open } });
    });
    const page = await open(context);
    await logIn(page, ann);
    await write(page, bob.id, ["one", "two"]);
    await waitUntilSent(page);
    expect(await textsOf(bob, ann)).toEqual(["one", "two"]);
    expect(await page.evaluate(() => globalThis.messenger.storage.value)).toEqual({
      state: "failed",
      reason: expect.stringContaining("SecurityError"),
    });
  });

  test("when IndexedDB is full, messages are sent from memory", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    const page = await open(context);
    const devTools = await context.newCDPSession(page);
    await devTools.send("Storage.overrideQuotaForOrigin", { origin: origin(), quotaSize: 1 });
    await logIn(page, ann);
    const outcome = await page.evaluate(async (userId) => {
      const message = globalThis.messenger.dialogWith(userId).send("x".repeat(4000));
      const stored = await message.stored.then(
        () => "stored",
        ({ code }) => code,
      );
      return { stored, sent: (await message.sent).state, storage: globalThis.messenger.storage.value };
    }, bob.id);
    expect(outcome).toEqual({
      stored: "STORE",
      sent: "sent",
      storage: { state: "failed", reason: expect.stringContaining("QuotaExceededError") },
    });
    expect(await textsOf(bob, ann)).toHaveLength(1);
  });

  test("a page that was asleep while its connection was closed connects once, and has what it missed", async () => {
    const { ann, bob } = await people();
    const context = await browser.context();
    const proxy = await startProxy(server().port);
    const page = await open(context, `http://127.0.0.1:${proxy.port}`);
    await logIn(page, ann);
    let sockets = 0;
    page.on("websocket", () => sockets++);
    const devTools = await context.newCDPSession(page);
    await devTools.send("Page.setWebLifecycleState", { state: "frozen" });
    const bobs = await liveClient(server(), bob);
    for (const text of ["one", "two"]) await bobs.dialogWith(ann.id).send(text).sent;
    proxy.cut();
    await devTools.send("Page.setWebLifecycleState", { state: "active" });
    await page.waitForFunction(() => globalThis.messenger.chats.value[0]?.unread === 2);
    await waitForState(page, "live");
    expect(await shownTexts(page, bob.id)).toEqual(["one", "two"]);
    expect(sockets).toBe(1);
    await page.close();
    proxy.stop();
  });

  test("the page of the README connects", async () => {
    const { ann } = await people();
    const readme = readFileSync(join(__dirname, "../README.md"), "utf8");
    const body = /```html\n(.*?)```/s.exec(readme)?.[1]?.replaceAll("https://chat.example.org", origin()) ?? "";
    const context = await browser.context();
    const page = await open(context);
    await logIn(page, ann);
    await page.goto(`${origin()}/health/live`);
    await page.setContent(body);
    await page.waitForFunction(() => document.title === "live");
  });
});
