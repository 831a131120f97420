import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { registerAccount } from "../../test/support/accounts.ts";
import { startChromium } from "../../test/support/chromium.ts";
import { Device } from "../../test/support/device.ts";
import type { Scenario } from "../scenario.ts";
import { startMessengerProcess } from "../servers.ts";
import { median } from "../statistics.ts";

/** The account that `registerAccount` makes. */
const account = { email: "ann@example.test", password: "correct horse battery" };

const chats = 50;

/** Runs in the page. A text, since tsx adds calls to functions. */
const untilPainted = `(async () => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  while (!document.querySelector("nav li")) await frame();
  // The frame after it has drawn it.
  const now = await frame();
  const answer = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/auth/login"));
  return now - answer.responseEnd;
})()`;

/** Milliseconds from the answer to the log-in until the list of chats is painted, by the browser's clock. */
async function timeLogIn(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.getByLabel("E-mail").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    const painted = page.evaluate<number>(untilPainted);
    await page.getByRole("button", { name: "Log in" }).click();
    return await painted;
  } finally {
    await context.close();
  }
}

/** The web client in Chromium, on the embedded database. */
export const web: Scenario = {
  summary: "web client: from the answer to the log-in to the painted list of chats",
  async runAlone({ rounds, warmUpRounds }) {
    const folder = await mkdtemp(join(tmpdir(), "messenger-bench-"));
    const server = await startMessengerProcess({ DATA_DIR: folder });
    const browser = await startChromium();
    try {
      const { token } = await registerAccount(server.port, "Ann");
      const device = await Device.connect(`ws://127.0.0.1:${server.port}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      for (let group = 1; group <= chats; group++) await device.request("newGroup", { groupName: `Group ${group}` });
      await device.close();
      const url = `http://127.0.0.1:${server.port}`;
      for (let round = 0; round < warmUpRounds; round++) await timeLogIn(browser, url);
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) times.push(await timeLogIn(browser, url));
      return [
        {
          title: `web: log-in with ${chats} chats`,
          columns: ["", "ms"],
          rows: [["answer to painted list", median(times)]],
          targets: [{ name: "answer to painted list, ms", measured: median(times), limit: 500 }],
          faults: [],
        },
      ];
    } finally {
      await browser.close();
      await server.stop("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    }
  },
};
