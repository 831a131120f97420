import { type TestUser, useMessenger } from "./messenger.ts";
import { useBrowser } from "./test-browser.ts";
import { WebPage } from "./web-page.ts";

/** Starts a messenger and a browser for all tests of a file. */
export function useWebPeople(settings: Record<string, string> = {}) {
  const messenger = useMessenger(settings);
  const browser = useBrowser();
  const url = () => `http://127.0.0.1:${messenger().port}`;
  return {
    messenger,
    browser,
    url,
    /** Another device of a person, logged in. */
    async device(person: { email: string }, options: Parameters<typeof browser.context>[0] = {}): Promise<WebPage> {
      return WebPage.logIn(await browser.context(options), url(), person.email);
    },
    /** Registers a person and logs in. */
    async person(
      firstName?: string,
      options: Parameters<typeof browser.context>[0] = {},
    ): Promise<{ user: TestUser; web: WebPage }> {
      const user = await messenger().person(firstName);
      return { user, web: await WebPage.logIn(await browser.context(options), url(), user.email) };
    },
  };
}
