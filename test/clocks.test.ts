import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { recentlyEndedSessions } from "../src/db/queries/accounts/ended-sessions.ts";
import { currentMark, recentChanges, versionsBefore } from "../src/db/queries/chats/recent-changes.ts";
import { selectOn } from "../src/db/select.ts";
import { StoreMarks } from "../src/delivery/store-marks.ts";
import { useMessenger } from "./support/messenger.ts";
import { annAndBobInDialog, sendPrivately } from "./support/scenes.ts";

/*
 * Clocks that disagree, or that are set back or forward: of a process, of the database. Where the database's would have to
 * be set, the tests move the times that it has stored.
 */

const hourMs = 3_600_000;
const marginMs = 60_000;
const messenger = useMessenger();
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe("a session", () => {
  const endedSince = async (since: Date | undefined) =>
    (await recentlyEndedSessions(messenger().db, { since, marginMs })).ended.map(({ id }) => id);

  async function logOutWith(clockErrorMs: number): Promise<number> {
    const { token } = await messenger().person();
    const [session] = await messenger().sql<{ id: number }>("SELECT max(id) AS id FROM sessions");
    const now = Date.now;
    jest.spyOn(Date, "now").mockImplementation(() => now() + clockErrorMs);
    expect((await messenger().http("POST", "/auth/logout", { token })).status).toBe(204);
    jest.restoreAllMocks();
    return session?.id ?? 0;
  }

  test.each([-5 * 60_000, 5 * 60_000])("that ends at a process whose clock is %d ms off is found", async (errorMs) => {
    const { now } = await recentlyEndedSessions(messenger().db, { since: undefined, marginMs });
    const sessionId = await logOutWith(errorMs);
    expect(await endedSince(now)).toContain(sessionId);
  });

  test("that ends after the clock of the database went back is found", async () => {
    const { now } = await recentlyEndedSessions(messenger().db, { since: undefined, marginMs });
    const sessionId = await logOutWith(0);
    expect(await endedSince(new Date(now.getTime() + hourMs))).toContain(sessionId);
  });

  test("that has just been refreshed is refreshed again, whatever the clock of the process says", async () => {
    const { email } = await messenger().person();
    const { body } = await messenger().http("POST", "/auth/login", {
      body: { email, password: "correct horse battery" },
    });
    const refresh = () => messenger().http("POST", "/auth/refresh", { body: { refreshToken: body.refreshToken } });
    const now = Date.now;
    const { body: first } = await refresh();
    jest.spyOn(Date, "now").mockImplementation(() => now() + 24 * hourMs);
    const again = await refresh();
    expect(again.status).toBe(200);
    expect(again.body.refreshToken).toBe(first.refreshToken);
  });
});

describe("a change by another process", () => {
  /** Moves the times of all stored changes, as if the database's clock had been set by this much since. */
  const moveTimes = (ms: number) =>
    messenger().sql(
      `UPDATE messages SET created_at = created_at + make_interval(secs => $seconds),
              changed_at = changed_at + make_interval(secs => $seconds)`,
      { seconds: ms / 1000 },
    );
  const markOf = async (errorMs: number) => {
    const { lastMessageId, databaseTime } = await currentMark(selectOn(messenger().db));
    return { lastMessageId, databaseTime: new Date(databaseTime.getTime() + errorMs), ageSeconds: 0 };
  };

  test.each([
    ["went back an hour", hourMs, hourMs],
    ["went forward an hour", -hourMs, -hourMs],
  ])("is found after the clock of the database %s: new messages", async (_what, markErrorMs, timeErrorMs) => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const mark = await markOf(markErrorMs);
    const before = await versionsBefore(messenger().db, [chatId], mark);
    const { version } = await sendPrivately(ann.device, bob.id, "after");
    await moveTimes(timeErrorMs);
    expect(await recentChanges(messenger().db, mark)).toContainEqual({ chatId, version });
    expect(await versionsBefore(messenger().db, [chatId], mark)).toEqual(before);
  });

  test.each([
    ["went back an hour", hourMs],
    ["went forward an hour", -hourMs],
  ])("is found after the clock of the database %s: edits", async (_what, markErrorMs) => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "befroe");
    const mark = await markOf(markErrorMs);
    const answer = await ann.device.request("editMessage", { messageId, content: "before" });
    const { version } = answer.params.item;
    // The poll skips the last half second.
    await moveTimes(-1000);
    const aged = { ...mark, ageSeconds: 10 };
    expect(await recentChanges(messenger().db, aged)).toContainEqual({ chatId, version });
    const [before] = await versionsBefore(messenger().db, [chatId], aged);
    expect(before?.version).toBeLessThan(version);
  });

  test("is found though its time lies in the future: the clock of the database went back meanwhile", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const mark = await markOf(0);
    const { version } = await sendPrivately(ann.device, bob.id, "after");
    await moveTimes(hourMs);
    expect(await recentChanges(messenger().db, mark)).toContainEqual({ chatId, version });
  });
});

describe("marks of the store", () => {
  const mark = (lastMessageId: number) => ({ lastMessageId, databaseTime: new Date(0) });

  test("are chosen by the monotonic clock", () => {
    jest.useFakeTimers();
    const marks = new StoreMarks(mark(0));
    for (let second = 1; second <= 100; second++) {
      jest.advanceTimersByTime(1000);
      jest.setSystemTime(second % 2 === 0 ? 0 : 10 ** 12);
      marks.add(mark(second));
    }
    expect(marks.beforeLatest(15_000)).toMatchObject({ lastMessageId: 85, ageSeconds: 15 });
    expect(marks.delivered).toMatchObject({ lastMessageId: 40, ageSeconds: 60 });
  });

  test("look back from the latest one, however long ago that was", () => {
    jest.useFakeTimers();
    const marks = new StoreMarks(mark(0));
    expect(marks.beforeLatest(15_000)).toMatchObject({ lastMessageId: 0 });
    for (let second = 1; second <= 30; second++) {
      jest.advanceTimersByTime(1000);
      marks.add(mark(second));
    }
    jest.advanceTimersByTime(hourMs);
    expect(marks.beforeLatest(15_000)).toMatchObject({ lastMessageId: 15, ageSeconds: 3615 });
  });
});
