import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startChromium } from "./support/chromium.ts";
import { password, useMessenger } from "./support/messenger.ts";
import { describeWithChromium } from "./support/prerequisites.ts";
import { sendUndecoded } from "./support/undecoded-http.ts";

/* The page about the WebSocket and its console, in a browser. */

const messenger = useMessenger();

test("the page says the address where it is served", async () => {
  const page = async (host: string) =>
    (await sendUndecoded(messenger().port, "GET", "/api/websocket", { host })).body.toString();
  expect(await page("chat.example.org:8080")).toContain(
    "wscat -c <span data-address>ws://chat.example.org:8080</span>",
  );
  expect(await page("chat.example.org")).not.toContain("localhost");
  expect(await page('"><script>')).toContain("<span data-address>ws://HOST</span>");
});

test("the page and what it loads come from this server, under a strict policy", async () => {
  const { headers, body } = await messenger().http("GET", "/api/websocket");
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'self';/);
  expect(headers.get("content-security-policy")).not.toContain("unsafe");
  const files = [...String(body).matchAll(/(?:src|href)="(\/api\/\w+\.\w+)"/g)].map(([, path = ""]) => path);
  expect(files).toEqual(
    ["/api/icon.svg", "/api/console.css", "/api/asyncapi.json", "/api/console.js"].sort(byPlaceIn(body)),
  );
  for (const path of files) expect((await messenger().http("GET", path)).status).toBe(200);
});

const byPlaceIn = (body: string) => (a: string, b: string) => body.indexOf(`"${a}"`) - body.indexOf(`"${b}"`);

describeWithChromium("the console on the page about the WebSocket", () => {
  let browser: Browser;
  let context: BrowserContext;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterEach(async () => {
    await context.close();
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser.close());

  /** Opens the page. What the browser complains about, such as a blocked script, fails the test. */
  async function open({ hash = "", ...options }: { hash?: string } & Parameters<Browser["newContext"]>[0] = {}) {
    context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (line) => {
      // The browser itself reports every answer that is not a success.
      if (line.type() === "error" && !/Failed to load resource|WebSocket connection/.test(line.text()))
        complaints.push(line.text());
    });
    page.setDefaultTimeout(10_000);
    await page.goto(`http://127.0.0.1:${messenger().port}/api/websocket${hash}`);
    return page;
  }

  async function logIn(page: Page, email: string): Promise<void> {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page
      .getByText(/^Connected as /)
      .first()
      .waitFor();
  }

  const frames = (page: Page) => page.getByRole("log", { name: "Frames" });
  const entries = (page: Page, kind: string) => frames(page).locator(`li[data-kind=${kind}]:visible`);

  test("logs in, sends the example of a type that was edited, and shows the answer and the pushes of others", async () => {
    const [ann, bob] = [await messenger().person("Ann"), await messenger().person("Bob")];
    const page = await open();
    await logIn(page, ann.email);
    await page.getByRole("combobox", { name: "Type" }).selectOption("privateMessage");
    const frame = page.getByRole("textbox", { name: "Frame" });
    const { type, params } = JSON.parse(await frame.inputValue());
    expect(type).toBe("privateMessage");
    await frame.fill(JSON.stringify({ type, params: { ...params, receiverId: bob.id, content: "Hi Bob" } }));
    const device = await bob.connect();
    await page.getByRole("button", { name: "Send" }).click();
    expect((await device.nextPush("privateMessage")).params.item).toMatchObject({ message: "Hi Bob" });
    await entries(page, "answer").getByText('"success": true').waitFor();
    expect(await entries(page, "sent").count()).toBe(1);

    await device.request("privateMessage", { receiverId: ann.id, content: "Hi Ann" });
    await entries(page, "push").getByText("Hi Ann").first().waitFor();

    await frame.fill("{");
    await frame.press("Control+Enter");
    await entries(page, "error").getByText("BAD_JSON").waitFor();
  });

  test("filters and copies the frames", async () => {
    const { email } = await messenger().person();
    const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await logIn(page, email);
    for (const type of ["ping", "listLastMessage"]) {
      await page.getByRole("combobox", { name: "Type" }).selectOption(type);
      await page.getByRole("button", { name: "Send" }).click();
      await entries(page, "answer").getByText(type).first().waitFor();
    }
    await page.getByRole("searchbox", { name: "Filter", exact: true }).fill("PING");
    await page.getByText("2 of 5 shown.").waitFor();
    await page.getByRole("combobox", { name: "Show" }).selectOption("answers");
    await page.getByText("1 of 5 shown.").waitFor();
    const clipboard = async () => JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    await page.getByRole("button", { name: "Copy all" }).click();
    await page.getByText("Copied: 1 entries.").waitFor();
    expect(await clipboard()).toMatchObject({ type: "ping", success: true });
    await page.getByRole("combobox", { name: "Show" }).selectOption("requests");
    await page.getByRole("button", { name: "Copy Sent ping" }).click();
    await page.getByText("Copied: Sent.").waitFor();
    expect(await clipboard()).toEqual({ type: "ping", params: {} });
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await frames(page).getByRole("listitem").count()).toBe(0);
  });

  test("uses a token, and says why it is not connected", async () => {
    const { token, email } = await messenger().person();
    const page = await open();
    const alert = page.getByRole("alert");
    await page.getByRole("button", { name: "Send" }).click();
    await alert.getByText("Log in first.").waitFor();
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill("a wrong password");
    await page.getByRole("button", { name: "Log in" }).click();
    await alert.getByText(/wrong/i).waitFor();
    for (const [wrong, words] of [
      ["x", "The server has rejected the connection."],
      ["a b", "This is not a token."],
    ] as const) {
      await page.getByLabel("Token").fill(wrong);
      await page.getByRole("button", { name: "Connect" }).click();
      await alert.getByText(words).waitFor();
    }
    await page.getByLabel("Token").fill(token);
    await page.getByLabel("Token").press("Enter");
    await page.getByText("Connected with the token.").waitFor();
    expect(await alert.textContent()).toBe("");
    await messenger().http("POST", "/auth/logout", { token });
    await entries(page, "event")
      .getByText(/^Closed with code 4401/)
      .waitFor();
    await page.getByText("Not connected.").waitFor();
  });

  test("ends the session that it has started", async () => {
    const { email, token } = await messenger().person();
    const sessions = async () => (await messenger().http("GET", "/auth/sessions", { token })).body.data.length;
    const page = await open();
    await logIn(page, email);
    const before = await sessions();
    const loggedOut = page.waitForResponse("**/auth/logout");
    await page.getByRole("button", { name: "Disconnect" }).click();
    expect((await loggedOut).status()).toBe(204);
    expect(await sessions()).toBe(before - 1);
  });

  test("works with the keyboard only", async () => {
    const { email } = await messenger().person();
    const page = await open();
    const focusByTab = async (name: string) => {
      for (let presses = 0; presses < 40; presses++) {
        const focused = page.locator(":focus");
        if (
          (await focused.count()) > 0 &&
          (await focused.evaluate((node) => node.closest("label")?.textContent?.trim() ?? node.textContent)) === name
        )
          return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`the focus did not reach ${name}`);
    };
    await focusByTab("E-mail");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(`${password}\n`);
    await page
      .getByText(/^Connected as /)
      .first()
      .waitFor();
    // The focus is on the type now.
    await page.keyboard.type("ping");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Control+Enter");
    await entries(page, "answer").getByText("serverTime").waitFor();
    await focusByTab("Send");
  });

  test("types are collapsed, are opened by their anchor, and can be filtered and tried", async () => {
    const page = await open({ hash: "#editMessage" });
    const isOpen = (type: string) => page.locator(`#${type}`).evaluate((node) => node.hasAttribute("open"));
    expect([await isOpen("editMessage"), await isOpen("deleteMessage")]).toEqual([true, false]);
    const index = page.getByRole("navigation", { name: "Types" });
    await page.getByRole("searchbox", { name: "Filter types" }).fill("delete");
    expect(await index.getByRole("link").allTextContents()).toEqual(
      expect.arrayContaining(["deleteMessage", "deleteGroup"]),
    );
    expect(await index.getByRole("link", { name: "ping" }).count()).toBe(0);
    await index.getByRole("link", { name: "deleteMessage" }).click();
    await page.getByRole("button", { name: "Try deleteMessage in the console" }).click();
    expect(await page.getByRole("combobox", { name: "Type" }).inputValue()).toBe("deleteMessage");
    const frame = page.getByRole("textbox", { name: "Frame" });
    expect(JSON.parse(await frame.inputValue())).toMatchObject({ type: "deleteMessage" });
    expect(await frame.evaluate((node) => node === document.activeElement)).toBe(true);
  });

  test.each([320, 390, 1280])("fits a window of %i pixels", async (width) => {
    const page = await open({ viewport: { width, height: 800 } });
    await page.getByRole("button", { name: "Expand all" }).click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });
});
