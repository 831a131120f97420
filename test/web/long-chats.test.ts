import { expect, test } from "@jest/globals";
import type { CDPSession } from "playwright-core";
import { describeWithChromium } from "../support/prerequisites.ts";
import { createGroup, sendToGroup } from "../support/scenes.ts";
import { gone, type WebPage } from "../support/web-page.ts";
import { useWebPeople } from "../support/web-people.ts";

/* Chats of many messages, and many changes of the open chat. */

const maxMessages = 300;

describeWithChromium("many messages in the web client", () => {
  const people = useWebPeople();

  /** A group of messages "number 1" and so on, of different heights, which the server has not loaded yet. */
  async function longGroup(name: string, count: number) {
    const author = await people.messenger().person("Author");
    const user = await people.messenger().person("Reader");
    const [chat] = await people
      .messenger()
      .sql<{ id: number }>(
        `INSERT INTO chats (kind, name, last_seq, version) VALUES ('group', $name, $count, $count) RETURNING id`,
        { name, count },
      );
    const groupId = Number(chat?.id);
    await people
      .messenger()
      .sql(
        `INSERT INTO chat_members (user_id, chat_id) SELECT unnest(ARRAY[$authorId, $userId]::int[]), $groupId RETURNING user_id`,
        { authorId: author.id, userId: user.id, groupId },
      );
    await people.messenger().sql(
      `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
       SELECT $groupId, n, n, $authorId, 'number ' || n || repeat(' and some more words', n % 7),
              date_trunc('milliseconds', now())
         FROM generate_series(1, $count::int) AS n RETURNING id`,
      { groupId, authorId: author.id, count },
    );
    await people.messenger().sql(
      `UPDATE chats SET last_message_id = (SELECT max(id) FROM messages WHERE chat_id = $groupId)
        WHERE id = $groupId RETURNING id`,
      { groupId },
    );
    const device = await author.connect();
    const web = await people.device(user);
    await sendToGroup(device, groupId, "the newest");
    return { web, user, device, groupId };
  }

  interface Scrolled {
    /** The farthest that a visible message moved by more than the scrolling, in pixels. */
    worstJump: number;
    /** The most messages that were in the page at once. */
    most: number;
    isFound: boolean;
  }

  /** Scrolls in steps until a message is in the page or gone from it. */
  const scroll = (web: WebPage, step: number, until: { steps: number; seq?: number }): Promise<Scrolled> =>
    web.log().evaluate(
      async (log, options) => {
        const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)));
        // Messages keep the place of their end: those at the beginning of the window have a day and a sender above.
        const visible = () => {
          const { top, bottom } = log.getBoundingClientRect();
          const places = new Map<string, number>();
          for (const row of log.querySelectorAll("article")) {
            const box = row.getBoundingClientRect();
            if (box.bottom > top && box.top < bottom) places.set(row.dataset.key ?? "", box.bottom);
          }
          return places;
        };
        const isFound = () => log.querySelector(`[data-seq="${options.seq}"]`) !== null;
        let worstJump = 0;
        let most = 0;
        for (let steps = 0; steps < options.steps && !isFound(); steps++) {
          const before = visible();
          const start = log.scrollTop;
          log.scrollTop += options.step;
          const moved = start - log.scrollTop;
          // The next messages are put above or below meanwhile.
          for (let frames = 0; frames < 2; frames++) await frame();
          const after = visible();
          const key = [...before.keys()].find((each) => after.has(each));
          if (key !== undefined)
            worstJump = Math.max(worstJump, Math.abs((after.get(key) ?? 0) - (before.get(key) ?? 0) - moved));
          most = Math.max(most, log.querySelectorAll("article").length);
        }
        return { worstJump, most, isFound: isFound() };
      },
      { step, ...until },
    );

  const expectSmooth = ({ worstJump, most }: Scrolled) => {
    expect(worstJump).toBeLessThan(2);
    expect(most).toBeLessThanOrEqual(maxMessages);
  };

  test("10,000 are scrolled through without a jump, with at most 300 in the page, and one goes back at once", async () => {
    const { web, device, groupId } = await longGroup("Long", 10_000);
    await web.openChat("Long");
    await web.log().getByRole("article").first().waitFor();
    await web.button(/new messages?$/).click();
    await web.message("the newest").waitFor();
    const up = await scroll(web, -600, { steps: 5000, seq: 1 });
    expect(up.isFound).toBe(true);
    expectSmooth(up);

    // Down again for a while, then to the newest at once.
    expectSmooth(await scroll(web, 600, { steps: 100 }));
    await sendToGroup(device, groupId, "while far away");
    await web.button("1 new message").click();
    await web.message("while far away").waitFor();
    await gone(web.button(/new message/));
    // Once more: the position was the newest before.
    expectSmooth(await scroll(web, -2000, { steps: 30 }));
    await web.button("Newest messages").click();
    await web.message("while far away").waitFor();
    await gone(web.button("Newest messages"));
  }, 300_000);

  test("an own message is shown at once, also when one has scrolled far away from the newest", async () => {
    const { web } = await longGroup("Away", 600);
    await web.openChat("Away");
    await web.button(/new messages?$/).click();
    await web.message("the newest").waitFor();
    await scroll(web, -500, { steps: 3 });
    await web.send("near the end");
    await web.message("near the end").waitFor();
    await web.page.waitForFunction(() => {
      const log = document.querySelector("[role=log]");
      return log && log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    });
    expect((await scroll(web, -1000, { steps: 500, seq: 1 })).isFound).toBe(true);
    expect(await web.message("near the end").count()).toBe(0);
    await web.send("far from the end");
    await web.message("far from the end").waitFor();
  });

  const heapAfterCollection = async (devTools: CDPSession): Promise<number> => {
    await devTools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devTools.send("Runtime.getHeapUsage");
    return usedSize;
  };

  test("200 changes of the chat need no more memory than the first ones", async () => {
    const { web, user, device } = await longGroup("One", 100);
    const otherId = await createGroup(device, [user], "Other");
    await sendToGroup(device, otherId, "hello");
    const devTools = await web.page.context().newCDPSession(web.page);
    const switchChats = (times: number) =>
      web.page.evaluate(async (count) => {
        const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)));
        for (let index = 0; index < count; index++) {
          const title = index % 2 === 0 ? "One" : "Other";
          const row = [...document.querySelectorAll("nav li a")].find(({ textContent }) =>
            textContent?.includes(title),
          );
          if (row instanceof HTMLElement) row.click();
          while (!document.querySelector(`[role=log][aria-label=${title}] article`)) await frame();
        }
      }, times);
    await switchChats(20);
    const before = await heapAfterCollection(devTools);
    await switchChats(200);
    expect(await heapAfterCollection(devTools)).toBeLessThanOrEqual(before * 1.2);
  }, 300_000);
});
