import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { PresenceStore } from "../src/services/presence/presence-store.ts";
import type { Device } from "./support/device.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";

/* What people show of themselves without saying anything: how far they have read, that they type, that they are there. */

const messenger = useMessenger({ RATE_LIMITS: "off" });

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** Two people who have a dialog, each on two devices. */
async function twoWithDialog() {
  const ann = await messenger().person("Ann");
  const bob = await messenger().person("Bob");
  const device = {
    ann: await ann.connect(),
    annsOther: await ann.connect(),
    bob: await bob.connect(),
    bobsOther: await bob.connect(),
  };
  const { chatId } = await sayTo(device.ann, bob, "Hi");
  await device.bob.nextPush("privateMessage");
  return { ann, bob, device, chatId };
}

async function sayTo(device: Device, to: TestUser, content: string) {
  return (await device.request("privateMessage", { receiverId: to.id, content })).params.item;
}

/** A group of the device's owner and these people. */
async function makeGroup(device: Device, ...members: TestUser[]): Promise<number> {
  const { params } = await device.request("newGroup", { groupName: "a group" });
  for (const { id } of members) await device.request("addUserInGroup", { groupId: params.item.chatId, userId: id });
  return params.item.chatId;
}

const markRead = async (device: Device, chatId: number, seq: number) =>
  (await device.request("markRead", { chatId, seq })).params.item;

const listed = async (device: Device) => (await device.request("listLastMessage", { limit: 100, page: 1 })).params.data;

/** The pushes of a type that have come by now. */
async function heard(device: Device, type: string) {
  await device.settle();
  return device.pushes().filter((push) => push.type === type);
}

/** The refusal, without the number of its request. */
async function refusal(device: Device, type: string, params: object) {
  const { requestId: _requestId, ...frame } = await device.requestError(type, params);
  return frame;
}

const block = (who: TestUser, whom: TestUser) =>
  messenger().http("PUT", `/users/me/blocks/${whom.id}`, { token: who.token });

const unblock = (who: TestUser, whom: TestUser) =>
  messenger().http("DELETE", `/users/me/blocks/${whom.id}`, { token: who.token });

const unknownId = 999_999_999;

describe("how far somebody has read", () => {
  test("the mark moves forward only, and never past the newest message", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    for (const content of ["two", "three"]) await sayTo(device.ann, bob, content);
    const item = (readSeq: number) => ({ chatId, userId: bob.id, readSeq });
    expect(await markRead(device.bob, chatId, 2)).toEqual(item(2));
    expect(await markRead(device.bob, chatId, 1)).toEqual(item(2));
    expect(await markRead(device.bob, chatId, Number.MAX_SAFE_INTEGER)).toEqual(item(3));
    await sayTo(device.ann, bob, "four");
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 3, unread: 1, senderId: ann.id }]);
  });

  test("one's other devices and the other side of a dialog hear of it, the asking device does not", async () => {
    const { bob, device, chatId } = await twoWithDialog();
    await markRead(device.bob, chatId, 1);
    const item = { chatId, userId: bob.id, readSeq: 1 };
    for (const one of [device.bobsOther, device.ann, device.annsOther]) {
      expect(await heard(one, "markRead")).toMatchObject([{ params: { data: null, message: null, item } }]);
    }
    expect(await heard(device.bob, "markRead")).toEqual([]);
  });

  test("a mark that does not move is told to nobody", async () => {
    const { device, chatId } = await twoWithDialog();
    for (const seq of [1, 1, 5]) await markRead(device.bob, chatId, seq);
    expect(await heard(device.ann, "markRead")).toHaveLength(1);
    expect(await heard(device.bobsOther, "markRead")).toHaveLength(1);
  });

  test("in a group nobody else hears of it", async () => {
    const { bob, device } = await twoWithDialog();
    const groupId = await makeGroup(device.ann, bob);
    await device.ann.request("messageInGroup", { groupId, content: "news" });
    await markRead(device.bob, groupId, 3);
    expect(await heard(device.bobsOther, "markRead")).toMatchObject([{ params: { item: { chatId: groupId } } }]);
    expect(await heard(device.ann, "markRead")).toEqual([]);
    expect(await listed(device.ann)).toMatchObject([{ chatId: groupId, readSeq: 3 }, { receiverId: bob.id }]);
  });

  test("what is unread is what came after the mark; who says something has read what stands before it", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    for (const content of ["two", "three", "four"]) await sayTo(device.ann, bob, content);
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 0, unread: 4 }]);
    await markRead(device.bob, chatId, 3);
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 3, unread: 1 }]);
    await sayTo(device.bob, ann, "five");
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 5, unread: 0 }]);
    expect(await listed(device.ann)).toMatchObject([{ readSeq: 4, unread: 1 }]);
  });

  test("an edit or a deletion makes nothing unread", async () => {
    const { bob, device, chatId } = await twoWithDialog();
    const { messageId } = await sayTo(device.ann, bob, "two");
    await markRead(device.bob, chatId, 2);
    await device.ann.request("editMessage", { messageId, content: "two, better" });
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 2, unread: 0, chatVersion: 3 }]);
    await device.ann.request("deleteMessage", { messageId });
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 2, unread: 0, chatVersion: 4 }]);
  });

  describe("crosses no block:", () => {
    /** How far the other side has read, as a device is told that knows nothing yet. */
    const peerReadSeq = async (device: Device, chatId: number) => {
      const { chats } = (await device.request("sync", { chats: [] })).params.item;
      return chats.find((chat) => chat.chatId === chatId)?.peerReadSeq;
    };
    const marksOf = async (device: Device) => (await heard(device, "markRead")).map(({ params }) => params.item);

    test.each([
      ["who blocks the other side", true],
      ["whom the other side blocks", false],
    ])("what somebody has read %s is told to the own devices only, pushed or asked for", async (_who, isBlocker) => {
      const { ann, bob, device, chatId } = await twoWithDialog();
      await (isBlocker ? block(bob, ann) : block(ann, bob));
      await markRead(device.bob, chatId, 1);
      const item = { chatId, userId: bob.id, readSeq: 1 };
      expect(await marksOf(device.bobsOther)).toEqual([item]);
      expect(await marksOf(device.ann)).toEqual([]);
      expect(await peerReadSeq(device.ann, chatId)).toBeUndefined();
      expect(await peerReadSeq(device.bob, chatId)).toBeUndefined();
    });

    test("what counts as read because the dialog was cleared is told to the own devices only", async () => {
      const { ann, bob, device } = await twoWithDialog();
      await block(bob, ann);
      await device.bob.request("clearDialog", { receiverId: ann.id });
      expect(await heard(device.bobsOther, "clearDialog")).toHaveLength(1);
      expect(await marksOf(device.ann)).toEqual([]);
    });

    test("after the last of two blocks both sides are told where the other has got to, as a fresh read tells it", async () => {
      const { ann, bob, device, chatId } = await twoWithDialog();
      await block(bob, ann);
      await block(ann, bob);
      await markRead(device.bob, chatId, 1);
      await unblock(bob, ann);
      expect(await marksOf(device.ann)).toEqual([]);
      await unblock(ann, bob);
      expect(await marksOf(device.ann)).toEqual([{ chatId, userId: bob.id, readSeq: 1 }]);
      expect(await marksOf(device.annsOther)).toEqual([{ chatId, userId: bob.id, readSeq: 1 }]);
      expect(await marksOf(device.bob)).toEqual([{ chatId, userId: ann.id, readSeq: 1 }]);
      expect(await peerReadSeq(device.ann, chatId)).toBe(1);
      expect(await peerReadSeq(device.bob, chatId)).toBe(1);
    });
  });

  test("strangers and those who left are answered as if there were no such chat", async () => {
    const { bob, device, chatId } = await twoWithDialog();
    const groupId = await makeGroup(device.ann, bob);
    await device.bob.request("leaveGroup", { groupId });
    const stranger = await (await messenger().person()).connect();
    const unknown = await refusal(stranger, "markRead", { chatId: unknownId, seq: 1 });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await refusal(stranger, "markRead", { chatId, seq: 1 })).toEqual(unknown);
    expect(await refusal(device.bob, "markRead", { chatId: groupId, seq: 1 })).toEqual(unknown);
    expect(await listed(device.bob)).toMatchObject([{ readSeq: 0, unread: 1 }]);
  });

  test.each([{ seq: 0 }, { seq: -1 }, { seq: "1" }, {}])("a mark that is no place is refused: %j", async (params) => {
    const { device, chatId } = await twoWithDialog();
    expect(await device.bob.requestError("markRead", { chatId, ...params })).toMatchObject({ code: "VALIDATION" });
  });
});

describe("clearing a dialog", () => {
  test("it is gone from the list and the history of the one who clears, and of nobody else", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    await sayTo(device.bob, ann, "two");
    const { params } = await device.bob.request("clearDialog", { receiverId: ann.id });
    expect(params.item).toEqual({ chatId, clearedSeq: 2, readSeq: 2 });

    expect(await listed(device.bob)).toEqual([]);
    const page = { limit: 10, page: 1 };
    const history = async (asking: Device, receiverId: number) =>
      (await asking.request("getlatestMessageDialog", { receiverId, ...page })).params.data.length;
    expect(await history(device.bob, ann.id)).toBe(0);
    const around = await device.bob.request("getMessages", { chatId, limit: 10 });
    expect(around.params).toMatchObject({ data: [], item: { hasMore: false } });

    expect(await listed(device.ann)).toHaveLength(1);
    expect(await history(device.ann, bob.id)).toBe(2);
  });

  test("one's other devices hear of it; the other side hears only that all is read", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    await device.bob.request("clearDialog", { receiverId: ann.id });
    const item = { chatId, clearedSeq: 1, readSeq: 1 };
    expect(await heard(device.bobsOther, "clearDialog")).toMatchObject([{ params: { item } }]);
    expect(await heard(device.bob, "clearDialog")).toEqual([]);
    for (const one of [device.ann, device.annsOther]) {
      expect(await heard(one, "clearDialog")).toEqual([]);
      const read = { chatId, userId: bob.id, readSeq: 1 };
      expect((await heard(one, "markRead")).map(({ params }) => params.item)).toEqual([read]);
    }
  });

  test("the other side is not told once more of what was read before", async () => {
    const { ann, device, chatId } = await twoWithDialog();
    await markRead(device.bob, chatId, 1);
    await device.bob.request("clearDialog", { receiverId: ann.id });
    expect(await heard(device.ann, "markRead")).toHaveLength(1);
  });

  test("the next message brings it back, with nothing but that message", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    await device.bob.request("clearDialog", { receiverId: ann.id });
    await sayTo(device.ann, bob, "are you there?");
    expect(await listed(device.bob)).toMatchObject([{ chatId, content: "are you there?", unread: 1, readSeq: 1 }]);
    const { params } = await device.bob.request("getMessages", { chatId, limit: 10 });
    expect(params.data.map(({ message }) => message)).toEqual(["are you there?"]);
  });

  test("an edit of what was cleared does not bring it back", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const { messageId } = await sayTo(device.ann, bob, "two");
    await device.bob.request("clearDialog", { receiverId: ann.id });
    await device.ann.request("editMessage", { messageId, content: "two, better" });
    expect(await listed(device.bob)).toEqual([]);
  });

  test("clearing again changes nothing", async () => {
    const { ann, device } = await twoWithDialog();
    const once = await device.bob.request("clearDialog", { receiverId: ann.id });
    const twice = await device.bob.request("clearDialog", { receiverId: ann.id });
    expect(twice.params.item).toEqual(once.params.item);
  });

  test("where there is no dialog there is nothing to clear", async () => {
    const { device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    const { params } = await device.bob.request("clearDialog", { receiverId: carl.id });
    expect(params).toMatchObject({ data: null, item: null });
  });

  test("somebody who never was is not there", async () => {
    const { device } = await twoWithDialog();
    const answer = await refusal(device.bob, "clearDialog", { receiverId: unknownId });
    expect(answer).toEqual({ error: true, type: "clearDialog", message: "There is no such user", code: "NOT_FOUND" });
  });
});

describe("typing", () => {
  const typing = (device: Device, chatId: number) => device.request("typing", { chatId });

  test("the others hear of it on every device, one's own devices do not", async () => {
    const { ann, device, chatId } = await twoWithDialog();
    expect((await typing(device.ann, chatId)).params).toMatchObject({ data: null, item: null });
    for (const one of [device.bob, device.bobsOther]) {
      const item = { chatId, userId: ann.id, ttlMs: 6000 };
      expect((await heard(one, "typing")).map(({ params }) => params.item)).toEqual([item]);
    }
    expect(await heard(device.ann, "typing")).toEqual([]);
    expect(await heard(device.annsOther, "typing")).toEqual([]);
  });

  test("it is told again after two seconds, and not before", async () => {
    const { bob, device, chatId } = await twoWithDialog();
    const now = Date.now();
    const clock = jest.spyOn(Date, "now").mockReturnValue(now);
    await typing(device.ann, chatId);
    clock.mockReturnValue(now + 1999);
    await typing(device.ann, chatId);
    expect(await heard(device.bob, "typing")).toHaveLength(1);
    // Each person and each chat has a measure of its own.
    await typing(device.bob, chatId);
    expect(await heard(device.ann, "typing")).toHaveLength(1);
    await typing(device.ann, await makeGroup(device.ann, bob));
    expect(await heard(device.bob, "typing")).toHaveLength(2);
    clock.mockReturnValue(now + 2000);
    await typing(device.ann, chatId);
    expect(await heard(device.bob, "typing")).toHaveLength(3);
  });

  /** Puts this many more people into a group, who never say anything. */
  const crowd = (chatId: number, count: number) =>
    messenger().sql(
      `WITH extra AS (
              INSERT INTO users (email, email_key, password_hash, first_name)
              SELECT name, name, 'none', 'Extra'
                FROM (SELECT 'extra' || $chatId::text || '.' || n || '@example.test' AS name
                        FROM generate_series(1, $count::int) AS n) AS names
           RETURNING id
            )
       INSERT INTO chat_members (user_id, chat_id) SELECT id, $chatId::bigint FROM extra RETURNING user_id`,
      { chatId, count },
    );

  test("in a group of fifty it is told, in one of fifty-one it is not", async () => {
    const { bob, device } = await twoWithDialog();
    const fifty = await makeGroup(device.ann, bob);
    const more = await makeGroup(device.ann, bob);
    await crowd(fifty, 48);
    await crowd(more, 49);
    await typing(device.ann, more);
    await typing(device.ann, fifty);
    expect(await heard(device.bob, "typing")).toMatchObject([{ params: { item: { chatId: fifty } } }]);
  });

  test("it is told to nobody who comes later, and stored nowhere", async () => {
    const { bob, device, chatId } = await twoWithDialog();
    const look = () =>
      messenger().sql(
        "SELECT c.*, m.* FROM chats AS c JOIN chat_members AS m ON m.chat_id = c.id ORDER BY m.user_id, c.id",
      );
    const before = await look();
    await typing(device.ann, chatId);
    const later = await bob.connect();
    expect(await heard(later, "typing")).toEqual([]);
    expect(await look()).toEqual(before);
    const { params } = await later.request("sync", { chats: [[chatId, 1, 0]] });
    expect(params.item.chats).toEqual([]);
  });

  test("strangers are answered as if there were no such chat, and nobody hears of them", async () => {
    const { device, chatId } = await twoWithDialog();
    const stranger = await (await messenger().person()).connect();
    const unknown = await refusal(stranger, "typing", { chatId: unknownId });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await refusal(stranger, "typing", { chatId })).toEqual(unknown);
    expect(await heard(device.ann, "typing")).toEqual([]);
  });

  test("somebody who is blocked is answered as if there were no such user, and not heard", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    await block(bob, ann);
    const answer = await refusal(device.ann, "typing", { chatId });
    expect(answer).toEqual({ error: true, type: "typing", message: "There is no such user", code: "NOT_FOUND" });
    expect(await heard(device.bob, "typing")).toEqual([]);
  });

  test("somebody who blocks the other side is not heard by it, and learns of nothing", async () => {
    const { ann, bob, device, chatId } = await twoWithDialog();
    await block(ann, bob);
    expect((await typing(device.ann, chatId)).params).toMatchObject({ data: null, item: null });
    expect(await heard(device.bob, "typing")).toEqual([]);
  });

  test("in a group it does not cross a block either way, and reaches everyone else", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    const carls = await carl.connect();
    const groupId = await makeGroup(carls, ann, bob);
    await block(ann, bob);
    for (const one of [device.ann, device.bob]) await typing(one, groupId);
    expect((await heard(carls, "typing")).map(({ params }) => params.item)).toMatchObject([
      { userId: ann.id },
      { userId: bob.id },
    ]);
    for (const one of [device.ann, device.bob]) expect(await heard(one, "typing")).toEqual([]);
  });
});

describe("who is there", () => {
  const watch = async (device: Device, ...people: { id: number }[]) =>
    (await device.request("watchPresence", { userIds: people.map(({ id }) => id) })).params.data;

  const lastSeen = async ({ id }: TestUser): Promise<string | null> => {
    const [row] = await messenger().sql<{ at: Date | null }>("SELECT last_seen_at AS at FROM users WHERE id = $id", {
      id,
    });
    return row?.at?.toISOString() ?? null;
  };

  const online = ({ id }: TestUser) => ({ userId: id, online: true, lastSeenAt: null });
  const offline = ({ id }: TestUser) => ({ userId: id, online: false, lastSeenAt: null });
  /** What was pushed to a device by now. */
  const shown = async (device: Device) => (await heard(device, "presence")).map(({ params }) => params.item);

  /** From here on graces last until `pass` is called; only `setTimeout` stands still. */
  function stopTheClock(): { pass(ms: number): void } {
    jest.useFakeTimers({
      doNotFake: [
        "Date",
        "hrtime",
        "nextTick",
        "performance",
        "queueMicrotask",
        "setImmediate",
        "clearImmediate",
        "setInterval",
        "clearInterval",
      ],
    });
    return { pass: (ms) => void jest.advanceTimersByTime(ms) };
  }

  /** Closes this person's last socket, and waits until the server has noticed. */
  async function leave(person: TestUser, ...devices: Device[]): Promise<string> {
    const before = await lastSeen(person);
    await Promise.all(devices.map((device) => device.close()));
    for (let looks = 0; looks < 1000; looks++) {
      const now = await lastSeen(person);
      if (now !== null && now !== before) return now;
    }
    throw new Error("the server did not notice that a socket was closed");
  }

  test("a person who is there is online, one who has never been there is offline", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    await sayTo(device.ann, carl, "Hi");
    expect(await watch(device.ann, carl, bob, ann)).toEqual([
      { userId: carl.id, online: false, lastSeenAt: null },
      { userId: bob.id, online: true, lastSeenAt: null },
      { userId: ann.id, online: true, lastSeenAt: null },
    ]);
  });

  test("moments that could not be noted are noted with the next one, and never replace a later one", async () => {
    const [early, late, next] = [await messenger().person(), await messenger().person(), await messenger().person()];
    const presences = new PresenceStore({ database: messenger().db });
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    const query = jest.spyOn(messenger().db, "query").mockRejectedValueOnce(new Error("the database is away"));
    const failed = presences.seen(early.id, at(1));
    // Comes up while the first is being noted.
    await presences.seen(late.id, at(2));
    await expect(failed).rejects.toThrow("away");
    query.mockRejectedValueOnce(new Error("the database is still away"));
    await expect(presences.seen(late.id, at(3))).rejects.toThrow("still away");
    // Noted by another process meanwhile.
    const [noted] = await messenger().sql<{ at: Date }>(
      "UPDATE users SET last_seen_at = $at WHERE id = $id RETURNING last_seen_at AS at",
      { id: early.id, at: at(9) },
    );
    expect(noted?.at).toEqual(at(9));
    await presences.seen(next.id, at(4));
    const seen = [];
    for (const person of [early, late, next]) seen.push(await lastSeen(person));
    expect(seen).toEqual([at(9), at(3), at(4)].map((moment) => moment.toISOString()));
  });

  test("a person asked about twice is told once", async () => {
    const { bob, device } = await twoWithDialog();
    expect(await watch(device.ann, bob, bob)).toHaveLength(1);
    expect(await watch(device.ann)).toEqual([]);
  });

  test("who has just gone still looks online, and nobody is told", async () => {
    const { bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    const clock = stopTheClock();
    await leave(bob, device.bob, device.bobsOther);
    clock.pass(14_999);
    jest.useRealTimers();
    expect(await watch(device.annsOther, bob)).toEqual([{ userId: bob.id, online: true, lastSeenAt: null }]);
    expect(await heard(device.ann, "presence")).toEqual([]);
  });

  test("after the grace the one who went is offline, and online again on coming back", async () => {
    const { bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    const clock = stopTheClock();
    const lastSeenAt = await leave(bob, device.bob, device.bobsOther);
    clock.pass(15_000);
    jest.useRealTimers();
    const gone = { userId: bob.id, online: false, lastSeenAt };
    expect(await device.ann.nextPush("presence")).toMatchObject({
      success: true,
      params: { data: null, message: null, senderName: null, item: gone },
    });
    expect(await watch(device.annsOther, bob)).toEqual([gone]);

    await bob.connect();
    const back = { userId: bob.id, online: true, lastSeenAt: null };
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: back } });
    expect(await device.annsOther.nextPush("presence")).toMatchObject({ params: { item: back } });
  });

  test("who comes back within the grace never went", async () => {
    const { bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    const clock = stopTheClock();
    await leave(bob, device.bob, device.bobsOther);
    clock.pass(14_000);
    const back = await bob.connect();
    await back.settle();
    clock.pass(60_000);
    jest.useRealTimers();
    expect(await watch(device.annsOther, bob)).toEqual([{ userId: bob.id, online: true, lastSeenAt: null }]);
    expect(await heard(device.ann, "presence")).toEqual([]);
  });

  test("closing one device of two, or opening a third, tells nobody anything", async () => {
    const { bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    const clock = stopTheClock();
    await device.bobsOther.close();
    await (await bob.connect()).settle();
    clock.pass(60_000);
    jest.useRealTimers();
    expect(await watch(device.annsOther, bob)).toMatchObject([{ online: true }]);
    expect(await heard(device.ann, "presence")).toEqual([]);
  });

  test("a new list of people replaces the one before", async () => {
    const { bob, device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    await sayTo(device.ann, carl, "Hi");
    await watch(device.ann, carl);
    await watch(device.ann, bob);
    await watch(device.annsOther, carl);
    await carl.connect();
    expect(await device.annsOther.nextPush("presence")).toMatchObject({ params: { item: { userId: carl.id } } });
    expect(await heard(device.ann, "presence")).toEqual([]);
  });

  test("strangers and people who never were look alike: offline, never seen, and silent", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const stranger = await messenger().person("Stan");
    const strangers = await stranger.connect();
    const clock = stopTheClock();
    await leave(bob, device.bob, device.bobsOther);
    clock.pass(15_000);
    jest.useRealTimers();
    expect(await watch(strangers, ann, bob, { id: unknownId })).toEqual(
      [ann.id, bob.id, unknownId].map((userId) => ({ userId, online: false, lastSeenAt: null })),
    );
    await watch(device.ann, bob);
    await bob.connect();
    await device.ann.nextPush("presence");
    expect(await heard(strangers, "presence")).toEqual([]);
  });

  test("after a block neither of the two sees the other", async () => {
    const { ann, bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    await watch(device.bob, ann);
    await block(bob, ann);
    expect(await watch(device.annsOther, bob)).toEqual([{ userId: bob.id, online: false, lastSeenAt: null }]);
    expect(await watch(device.bobsOther, ann)).toEqual([{ userId: ann.id, online: false, lastSeenAt: null }]);

    const carl = await messenger().person("Carl");
    const carls = await carl.connect();
    await makeGroup(carls, bob);
    await watch(carls, bob);
    const clock = stopTheClock();
    await leave(bob, device.bob, device.bobsOther);
    clock.pass(15_000);
    jest.useRealTimers();
    await carls.nextPush("presence");
    // The block itself took back what was shown.
    expect(await shown(device.ann)).toEqual([offline(bob)]);
    expect(await watch(device.ann, bob)).toEqual([offline(bob)]);
  });

  test("a block takes back at once what either of the two shows the other, and its end brings it back", async () => {
    const { ann, bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    await watch(device.bob, ann);
    await block(bob, ann);
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await device.bob.nextPush("presence")).toMatchObject({ params: { item: offline(ann) } });
    await unblock(bob, ann);
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
    expect(await device.bob.nextPush("presence")).toMatchObject({ params: { item: online(ann) } });
    expect(await shown(device.annsOther)).toEqual([]);
  });

  test("a block while somebody asks is in the answer", async () => {
    const { ann, bob, device } = await twoWithDialog();
    await watch(device.ann, bob);
    const { of } = PresenceStore.prototype;
    jest.spyOn(PresenceStore.prototype, "of").mockImplementationOnce(async function (this: PresenceStore, ...asked) {
      const found = await of.apply(this, asked);
      await block(bob, ann);
      // By then it has been taken in.
      await device.ann.nextPush("presence");
      return found;
    });
    expect(await watch(device.annsOther, bob)).toEqual([offline(bob)]);
    expect(await shown(device.annsOther)).toEqual([]);
  });

  test("what could not be taken back while the database was away is taken back with the next news", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    await sayTo(device.ann, carl, "Hi");
    await watch(device.ann, bob, carl);
    const asked = jest.spyOn(PresenceStore.prototype, "areAllowed").mockRejectedValueOnce(new Error("it is away"));
    await block(bob, ann);
    expect(asked).toHaveBeenCalledTimes(1);
    await carl.connect();
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: online(carl) } });
  });

  test("who blocks a stranger shows that to nobody", async () => {
    const { ann, device } = await twoWithDialog();
    const stranger = await messenger().person("Stan");
    const strangers = await stranger.connect();
    await watch(strangers, ann);
    await watch(device.ann, stranger);
    await block(ann, stranger);
    await block(stranger, ann);
    expect(await shown(strangers)).toEqual([]);
    expect(await shown(device.ann)).toEqual([]);
  });

  describe("two who share nothing but a group, and watch each other,", () => {
    async function twoOfOneGroup() {
      const [ann, bob] = [await messenger().person("Ann"), await messenger().person("Bob")];
      const [anns, bobs] = [await ann.connect(), await bob.connect()];
      const groupId = await makeGroup(anns, bob);
      expect(await watch(anns, bob)).toEqual([online(bob)]);
      expect(await watch(bobs, ann)).toEqual([online(ann)]);
      return { ann, bob, anns, bobs, groupId };
    }

    test.each<[string, (two: Awaited<ReturnType<typeof twoOfOneGroup>>) => Promise<unknown>]>([
      ["one of them leaves", ({ bobs, groupId }) => bobs.request("leaveGroup", { groupId })],
      [
        "one of them is put out",
        ({ anns, bob, groupId }) => anns.request("removeUserFromGroup", { groupId, userId: bob.id }),
      ],
      ["the group ends", ({ anns, groupId }) => anns.request("deleteGroup", { groupId })],
    ])("do not see each other any more when %s, nor hear of each other", async (_how, part) => {
      const two = await twoOfOneGroup();
      const { ann, bob, anns, bobs } = two;
      await part(two);
      expect(await anns.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
      expect(await bobs.nextPush("presence")).toMatchObject({ params: { item: offline(ann) } });
      expect(await watch(anns, bob)).toEqual([offline(bob)]);
    });

    test("go on seeing each other when one of them leaves, if they share another one", async () => {
      const { ann, bob, anns, bobs, groupId } = await twoOfOneGroup();
      await makeGroup(anns, bob);
      await bobs.request("leaveGroup", { groupId });
      expect(await watch(bobs, ann)).toEqual([online(ann)]);
      expect(await shown(anns)).toEqual([]);
    });

    test("see each other again as soon as they share one again", async () => {
      const { ann, bob, anns, bobs, groupId } = await twoOfOneGroup();
      await bobs.request("leaveGroup", { groupId });
      await anns.nextPush("presence");
      await anns.request("addUserInGroup", { groupId, userId: bob.id });
      expect(await anns.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
      await bobs.request("leaveGroup", { groupId });
      await anns.nextPush("presence");
      await sayTo(bobs, ann, "Hi");
      expect(await anns.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
    });
  });

  test("who has deleted the account is offline for who shared a group at once, for others after the grace", async () => {
    const { ann, bob, device } = await twoWithDialog();
    const carl = await messenger().person("Carl");
    const carls = await carl.connect();
    await makeGroup(carls, bob);
    await watch(device.ann, bob);
    await watch(carls, bob);
    const clock = stopTheClock();
    const { status } = await messenger().http("DELETE", "/users/me", { token: bob.token, body: { password } });
    expect(status).toBe(204);
    await Promise.all([device.bob.closed, device.bobsOther.closed]);
    expect(await carls.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await shown(device.ann)).toEqual([]);
    clock.pass(15_000);
    jest.useRealTimers();
    expect(await device.ann.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await watch(device.ann, bob, ann)).toEqual([offline(bob), online(ann)]);
  });

  test("a hundred people may be watched, a hundred and one may not", async () => {
    const { device } = await twoWithDialog();
    const people = Array.from({ length: 101 }, (_, n) => ({ id: unknownId + n }));
    expect(await watch(device.ann, ...people.slice(1))).toHaveLength(100);
    const userIds = people.map(({ id }) => id);
    expect(await device.ann.requestError("watchPresence", { userIds })).toMatchObject({ code: "VALIDATION" });
    for (const wrong of [[0], ["1"], [1.5], [null], 1]) {
      expect(await device.ann.requestError("watchPresence", { userIds: wrong })).toMatchObject({ code: "VALIDATION" });
    }
  });
});
