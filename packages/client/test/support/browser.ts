import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import type { Browser, BrowserContext } from "playwright-core";
import { startChromium } from "../../../../test/support/chromium.ts";

/** Starts one browser for the tests of a file. After each test its contexts are closed, and uncaught errors fail it. */
export function useBrowser(): { context(): Promise<BrowserContext> } {
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];
  const errors: unknown[] = [];
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    expect(errors.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());
  return {
    async context() {
      if (!browser) throw new Error("the browser is not running yet");
      // The tests run code on pages of the server that allow none.
      const context = await browser.newContext({ bypassCSP: true });
      context.setDefaultTimeout(20_000);
      context.on("weberror", (error) => errors.push(error.error()));
      contexts.push(context);
      return context;
    },
  };
}
