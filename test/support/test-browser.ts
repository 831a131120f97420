import { afterAll, afterEach, beforeAll, expect, jest } from "@jest/globals";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { startChromium } from "./chromium.ts";

/** The browser of a test file. Contexts are closed after each test, and errors of their pages fail it. */
export class TestBrowser {
  private browser: Browser | undefined;
  private readonly contexts: BrowserContext[] = [];
  private readonly errors: string[] = [];

  async open(): Promise<void> {
    this.browser = await startChromium();
  }

  async close(): Promise<void> {
    await this.browser?.close();
  }

  /** A context of its own: another person, or another device of the same one. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    if (!this.browser) throw new Error("the browser is not running yet");
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(45_000);
    context.on("weberror", (error) => this.errors.push(String(error.error().stack)));
    context.on("console", (message) => {
      // The last one is the answer of a server that is starting.
      const isNetwork =
        /Failed to load resource|WebSocket connection|net::ERR|Refused to apply style .*problem\+json/.test(
          message.text(),
        );
      if (message.type() === "error" && !isNetwork) this.errors.push(message.text());
    });
    this.contexts.push(context);
    return context;
  }

  /** Closes the contexts. @throws if a page had an uncaught error, or did what its content security policy forbids */
  async closeContexts(): Promise<void> {
    await Promise.all(this.contexts.splice(0).map((context) => context.close()));
    expect(this.errors.splice(0)).toEqual([]);
  }
}

/** Starts one browser for all tests of a file. */
export function useBrowser(): TestBrowser {
  // Browsers need both cores, which others may be using.
  jest.setTimeout(120_000);
  const browser = new TestBrowser();
  beforeAll(() => browser.open());
  afterEach(() => browser.closeContexts());
  afterAll(() => browser.close());
  return browser;
}
