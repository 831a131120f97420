import { describe, expect, jest, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import type { Infer } from "../src/contract/schema.ts";
import type { sync } from "../src/ws/messages/chats/sync.ts";
import { Random } from "./chaos/random.ts";
import type { Device } from "./support/device.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";

/* Catching up: what a device learns when it says what it knows, and that pushes and answers together leave nothing out. */

const messenger = useMessenger({ RATE_LIMITS: "off" });

// Many rounds, on a machine that may be busy.
jest.setTimeout(90_000);

type Answer = Infer<(typeof sync)["item"]>;
type ToldChat = Answer["chats"][number];
type Known = [chatId: number, version: number, readSeq: number, clearedSeq?: number, peerReadSeq?: number];

/** One request for everything that differs. */
async function catchUp(device: Device, chats: readonly Known[] = [], range?: [number, number]): Promise<Answer> {
  const known = chats.map((chat) => chat.filter((place) => place !== undefined));
  const { params } = await device.request("sync", { chats: known, ...(range && { range }) });
  return params.item;
}

/** What a device says it knows, once it has taken in what it was told of a chat. */
const knownOf = ({ chatId, version, readSeq, clearedSeq, peerReadSeq }: ToldChat): Known =>
  peerReadSeq === undefined
    ? [chatId, version, readSeq, clearedSeq]
    : [chatId, version, readSeq, clearedSeq, peerReadSeq];

const versionsOf = (chat: { messages: MessageItem[] } | undefined) => chat?.messages.map(({ version }) => version);
const textsOf = (chat: { messages: MessageItem[] } | undefined) => chat?.messages.map(({ message }) => message);
const numbers = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);

/** The chat of this answer; fails the test where it is not told. */
function chatIn(answer: Answer, chatId: number): ToldChat {
  const found = answer.chats.find((chat) => chat.chatId === chatId);
  if (!found) throw new Error(`chat ${chatId} is not told: ${JSON.stringify(answer)}`);
  return found;
}

/** Two people, each on one device. */
async function twoPeople() {
  const ann = await messenger().person("Ann");
  const bob = await messenger().person("Bob");
  const [annDevice, bobDevice] = [await ann.connect(), await bob.connect()];
  // Bursts wait for many answers at once.
  for (const { socket } of [annDevice, bobDevice]) socket.setMaxListeners(50);
  return { ann, bob, annDevice, bobDevice };
}

/** A group of the device's owner and these people. */
async function makeGroup(device: Device, ...members: TestUser[]): Promise<number> {
  const { params } = await device.request("newGroup", { groupName: "a group" });
  for (const { id } of members) await device.request("addUserInGroup", { groupId: params.item.chatId, userId: id });
  return params.item.chatId;
}

async function say(device: Device, groupId: number, content: string): Promise<MessageItem> {
  return (await device.request("messageInGroup", { groupId, content })).params.item;
}

async function sayTo(device: Device, receiverId: number, content: string): Promise<MessageItem> {
  return (await device.request("privateMessage", { receiverId, content })).params.item;
}

/** Writes many messages at once, as if they had been sent while nobody was connected. */
async function fill(chatId: number, senderId: number, count: number, content = "text"): Promise<void> {
  await messenger().sql(
    `WITH chat AS (
            UPDATE chats SET last_seq = last_seq + $count, version = version + $count
             WHERE id = $chatId
         RETURNING last_seq - $count AS seq, version - $count AS version
          ), written AS (
            INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
            SELECT $chatId, chat.seq + n, chat.version + n, $senderId, $content, date_trunc('milliseconds', now())
              FROM chat CROSS JOIN generate_series(1, $count::int) AS n
         RETURNING id
          )
     SELECT count(*)::int AS n FROM written`,
    { chatId, senderId, count, content },
  );
  await messenger().sql(
    `WITH newest AS (SELECT id FROM messages WHERE chat_id = $chatId ORDER BY seq DESC LIMIT 1)
     UPDATE chats SET last_message_id = newest.id FROM newest WHERE chats.id = $chatId RETURNING chats.id`,
    { chatId },
  );
}

describe("catching up", () => {
  test("a device that knows nothing is told every chat of its person with all messages, and nobody else's", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const carl = await messenger().person("Carl");
    const groupId = await makeGroup(annDevice, bob);
    await say(annDevice, groupId, "to the group");
    const { chatId } = await sayTo(bobDevice, ann.id, "to you");
    await makeGroup(bobDevice);
    await sayTo(bobDevice, carl.id, "to somebody else");

    const answer = await catchUp(annDevice);
    expect(answer).toMatchObject({ left: [], hasMore: false });
    expect(answer.chats.map((chat) => chat.chatId)).toEqual([groupId, chatId]);
    expect(chatIn(answer, groupId)).toMatchObject({
      kind: "group",
      groupId,
      groupName: "a group",
      joined: true,
      version: 3,
      lastSeq: 3,
      readSeq: 3,
      clearedSeq: 0,
    });
    expect(versionsOf(chatIn(answer, groupId))).toEqual([1, 2, 3]);
    expect(chatIn(answer, groupId).messages[1]).toMatchObject({ event: { kind: "memberAdded", userId: bob.id } });
    expect(chatIn(answer, chatId)).toMatchObject({
      kind: "dialog",
      userId: bob.id,
      joined: true,
      version: 1,
      lastSeq: 1,
      readSeq: 0,
      peerReadSeq: 1,
    });
    expect(textsOf(chatIn(answer, chatId))).toEqual(["to you"]);
  });

  test("a device that knows everything is told nothing", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    await makeGroup(annDevice, bob);
    await sayTo(bobDevice, ann.id, "Hi");
    const known = (await catchUp(annDevice)).chats.map(knownOf);
    expect(await catchUp(annDevice, known)).toEqual({ chats: [], left: [], hasMore: false });
  });

  test("someone in no chat at all is told nothing", async () => {
    const device = await (await messenger().person()).connect();
    expect(await catchUp(device)).toEqual({ chats: [], left: [], hasMore: false });
  });

  test("after an absence exactly the new, edited and deleted messages are told, in the order of the changes", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const [first, second] = [await say(annDevice, groupId, "one"), await say(annDevice, groupId, "two")];
    await say(annDevice, groupId, "three");
    const before = await catchUp(bobDevice);
    const known = before.chats.map(knownOf);
    await bobDevice.close();

    await annDevice.request("editMessage", { messageId: second.messageId, content: "two, better" });
    await say(annDevice, groupId, "four");
    await annDevice.request("deleteMessage", { messageId: first.messageId });

    const answer = await catchUp(await bob.connect(), known);
    const chat = chatIn(answer, groupId);
    expect(chat.joined).toBeUndefined();
    expect(chat.version).toBe(chatIn(before, groupId).version + 3);
    expect(chat.lastSeq).toBe(6);
    expect(versionsOf(chat)).toEqual([6, 7, 8]);
    expect(chat.messages).toMatchObject([
      { seq: second.seq, message: "two, better", editedAt: expect.any(String), deletedAt: null },
      { seq: 6, message: "four", editedAt: null, deletedAt: null },
      { seq: first.seq, message: "", deletedAt: expect.any(String) },
    ]);
  });

  test("a message changed twice during an absence is told once, as it is now", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const { messageId } = await say(annDevice, groupId, "draft");
    const known = (await catchUp(bobDevice)).chats.map(knownOf);
    for (const content of ["better", "best"]) await annDevice.request("editMessage", { messageId, content });
    const chat = chatIn(await catchUp(bobDevice, known), groupId);
    expect(chat.messages).toMatchObject([{ version: 5, message: "best" }]);
    expect(chat.version).toBe(5);
  });

  test("chats joined and left during an absence are told as joined and left", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const leftId = await makeGroup(annDevice, bob);
    const endedId = await makeGroup(annDevice, bob);
    const known = (await catchUp(bobDevice)).chats.map(knownOf);
    await bobDevice.close();

    await annDevice.request("removeUserFromGroup", { groupId: leftId, userId: bob.id });
    await annDevice.request("deleteGroup", { groupId: endedId });
    const joinedId = await makeGroup(annDevice, bob);

    const answer = await catchUp(await bob.connect(), known);
    expect(answer.left).toEqual([leftId, endedId]);
    expect(answer.chats.map(({ chatId, joined }) => ({ chatId, joined }))).toEqual([
      { chatId: joinedId, joined: true },
    ]);
    expect(versionsOf(chatIn(answer, joinedId))).toEqual([1, 2]);
  });

  test("someone put out and taken in again meanwhile is told what was said in between", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const known = (await catchUp(bobDevice)).chats.map(knownOf);
    await annDevice.request("removeUserFromGroup", { groupId, userId: bob.id });
    await say(annDevice, groupId, "behind his back");
    await annDevice.request("addUserInGroup", { groupId, userId: bob.id });
    const answer = await catchUp(bobDevice, known);
    expect(answer.left).toEqual([]);
    expect(versionsOf(chatIn(answer, groupId))).toEqual([3, 4, 5]);
  });

  test("another one's chat and a chat that never was are answered alike: left", async () => {
    const { annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice);
    const unknown = 999_999_999;
    const answer = await catchUp(bobDevice, [
      [groupId, 1, 0],
      [unknown, 0, 0],
    ]);
    expect(answer).toEqual({ chats: [], left: [groupId, unknown], hasMore: false });
  });

  test("a range limits what is changed, joined and left", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const ids: number[] = [];
    for (let n = 0; n < 6; n++) ids.push(await makeGroup(annDevice, bob));
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ids;
    const all = (await catchUp(bobDevice)).chats.map(knownOf);
    for (const groupId of [a, d]) await say(annDevice, groupId, "news");
    for (const groupId of [b, e]) await annDevice.request("removeUserFromGroup", { groupId, userId: bob.id });
    // The last of each half counts as joined, for a device that does not mention it.
    const known = all.filter(([chatId]) => chatId !== c && chatId !== f);

    const low = await catchUp(bobDevice, known, [a, c]);
    expect(low.chats.map(({ chatId, joined }) => [chatId, joined ?? false])).toEqual([
      [a, false],
      [c, true],
    ]);
    expect(low.left).toEqual([b]);

    const high = await catchUp(bobDevice, known, [d, f]);
    expect(high.chats.map(({ chatId, joined }) => [chatId, joined ?? false])).toEqual([
      [d, false],
      [f, true],
    ]);
    expect(high.left).toEqual([e]);

    expect((await catchUp(bobDevice, known, [a, a])).chats.map(({ chatId }) => chatId)).toEqual([a]);
  });
});

describe("too much, and too far", () => {
  test("five hundred changes of a chat are told one by one", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 500);
    const chat = chatIn(await catchUp(bobDevice, [[groupId, 2, 2]]), groupId);
    expect(chat.tooLong).toBeUndefined();
    expect(chat.version).toBe(502);
    expect(versionsOf(chat)).toEqual(numbers(3, 502));
  });

  test("after five hundred and one changes the newest fifty are told instead", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 501);
    const answer = await catchUp(bobDevice, [[groupId, 2, 2]]);
    const chat = chatIn(answer, groupId);
    expect(answer.hasMore).toBe(false);
    expect(chat).toMatchObject({ tooLong: true, version: 503, lastSeq: 503 });
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(454, 503));
    expect((await catchUp(bobDevice, [knownOf(chat)])).chats).toEqual([]);
  });

  test("a long chat that is new to the device is both joined and too long", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 600);
    const chat = chatIn(await catchUp(bobDevice), groupId);
    expect(chat).toMatchObject({ joined: true, tooLong: true, version: 602 });
    expect(chat.messages).toHaveLength(50);
  });

  test("a chat that is too long is told with its edited newest messages, not with edited old ones", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const old = await say(annDevice, groupId, "old");
    await fill(groupId, ann.id, 501);
    await annDevice.request("editMessage", { messageId: old.messageId, content: "old, edited" });
    const chat = chatIn(await catchUp(bobDevice, [[groupId, 3, 0]]), groupId);
    expect(chat).toMatchObject({ tooLong: true, version: 505, lastSeq: 504 });
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(455, 504));
  });

  test("a device that is ahead of the server, which was restored, starts afresh with the newest messages", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 58);
    const answer = await catchUp(bobDevice, [[groupId, 61, 61]]);
    const chat = chatIn(answer, groupId);
    expect(chat).toMatchObject({ reset: true, version: 60, lastSeq: 60, readSeq: 2 });
    expect(chat.tooLong).toBeUndefined();
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(11, 60));
  });

  test("after a reset the next message is pushed with the version that follows", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const asked = catchUp(bobDevice, [[groupId, 50, 50]]);
    const sent = say(annDevice, groupId, "Hi");
    const chat = chatIn(await asked, groupId);
    await sent;
    await bobDevice.settle();
    const { version } = await sent;
    const told = chat.version === version || bobDevice.pushes().some(({ params }) => params.item.version === version);
    expect(told).toBe(true);
  });

  test.each([
    ["three bytes", "€", 4096],
    ["four bytes", "😀", 2048],
    ["one byte, which JSON writes in six", "\u0001", 4096],
  ])("an answer ends at 512 KiB of characters of %s, says so, and asking on ends with everything", async (...given) => {
    const [, character, length] = given;
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const sizes = [3, 40, 45, 30, 2];
    const ids: number[] = [];
    for (const count of sizes) {
      const groupId = await makeGroup(annDevice, bob);
      await fill(groupId, ann.id, count, character.repeat(length));
      ids.push(groupId);
    }
    const seen = new Map<number, number[]>();
    const known = new Map<number, Known>();
    const cuts: { chatId: number; version: number }[] = [];
    let answers = 0;
    for (let more = true; more; answers++) {
      const answer = await catchUp(bobDevice, [...known.values()]);
      const bytes = answer.chats.flatMap(({ messages }) => messages.map((item) => JSON.stringify(item)));
      expect(bytes.reduce((sum, text) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(512 * 1024);
      for (const chat of answer.chats) {
        expect(chat.joined ?? false).toBe(!known.has(chat.chatId));
        expect(versionsOf(chat)?.at(-1)).toBe(chat.version);
        seen.set(chat.chatId, [...(seen.get(chat.chatId) ?? []), ...(versionsOf(chat) ?? [])]);
        known.set(chat.chatId, knownOf(chat));
        if (chat.version < chat.lastSeq) cuts.push(chat);
      }
      more = answer.hasMore;
      // Only the last chat of a full answer is cut.
      if (more) expect(cuts.length === 0 || answer.chats.at(-1)?.chatId === cuts.at(-1)?.chatId).toBe(true);
    }
    expect(answers).toBeGreaterThanOrEqual(2);
    expect(cuts.length).toBeGreaterThan(0);
    expect([...seen]).toEqual(ids.map((chatId, n) => [chatId, numbers(1, (sizes[n] ?? 0) + 2)]));
    expect(await catchUp(bobDevice, [...known.values()])).toEqual({ chats: [], left: [], hasMore: false });
  });

  test.each([
    ["too much has changed", "tooLong", 3],
    ["the server was restored", "reset", 9_999],
  ])("of the newest messages, told because %s, the last ones that fit are told, without a gap", async (...given) => {
    const [, flag, version] = given;
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const otherId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 500);
    await fill(groupId, ann.id, 50, "€".repeat(4096));
    // Changed last, and the first of the newest: not beside the others that fit.
    const [first] = await messenger().sql<{ id: number }>(
      "SELECT id FROM messages WHERE chat_id = $groupId ORDER BY seq DESC OFFSET 49 LIMIT 1",
      { groupId },
    );
    if (!first) throw new Error("there is no such message");
    await annDevice.request("editMessage", { messageId: first.id, content: "short" });

    const known: Known = [groupId, version, 2];
    const alone = await catchUp(bobDevice, [known], [groupId, groupId]);
    expect(alone.hasMore).toBe(false);
    const chat = chatIn(alone, groupId);
    expect(chat).toMatchObject({ [flag]: true, version: 553, lastSeq: 552 });
    expect(chat.messages.length).toBeGreaterThan(30);
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(552 - chat.messages.length + 1, 552));

    const full = await catchUp(bobDevice, [known]);
    expect(full.chats).toEqual([chat]);
    expect(full.hasMore).toBe(true);
    const rest = await catchUp(bobDevice, [knownOf(chat)]);
    expect(rest.chats.map(({ chatId }) => chatId)).toEqual([otherId]);
    expect(rest.hasMore).toBe(false);
  });

  test("a chat told in part goes on, live, after the rest was asked for", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await fill(groupId, ann.id, 60, "€".repeat(4096));
    const first = chatIn(await catchUp(bobDevice, [[groupId, 2, 2]]), groupId);
    const rest = catchUp(bobDevice, [knownOf(first)]);
    const sent = say(annDevice, groupId, "while you ask");
    const second = chatIn(await rest, groupId);
    const { version } = await sent;
    await bobDevice.settle();
    const versions = [...numbers(1, 2), ...(versionsOf(first) ?? []), ...(versionsOf(second) ?? [])];
    expect(versions).toEqual(numbers(1, second.version));
    if (second.version < version) expect(bobDevice.pushes().at(-1)?.params.item).toMatchObject({ version });
  });
});

describe("marks and names", () => {
  test("the other side's reading of a dialog is told, to devices that say what they know of it", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const { chatId } = await sayTo(annDevice, bob.id, "Hi");
    const before = chatIn(await catchUp(annDevice), chatId);
    expect(before).toMatchObject({ userId: bob.id, readSeq: 1, peerReadSeq: 0 });
    await bobDevice.request("markRead", { chatId, seq: 1 });

    const after = chatIn(await catchUp(annDevice, [knownOf(before)]), chatId);
    expect(after).toMatchObject({ version: 1, readSeq: 1, peerReadSeq: 1, messages: [] });
    expect((await catchUp(annDevice, [[chatId, 1, 1, 0]])).chats).toEqual([]);
    expect((await catchUp(annDevice, [knownOf(after)])).chats).toEqual([]);
    expect(chatIn(await catchUp(bobDevice), chatId)).toMatchObject({ userId: ann.id, readSeq: 1, peerReadSeq: 1 });
  });

  test("what one device has read is told to the other", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await say(annDevice, groupId, "news");
    await bobDevice.request("markRead", { chatId: groupId, seq: 3 });
    const answer = await catchUp(await bob.connect(), [[groupId, 3, 2]]);
    expect(answer.chats).toMatchObject([{ chatId: groupId, version: 3, readSeq: 3, messages: [] }]);
    expect(chatIn(await catchUp(annDevice), groupId)).not.toHaveProperty("peerReadSeq");
  });

  test("a dialog cleared on one device is cleared on the other, and what was cleared is told to neither", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const { chatId } = await sayTo(annDevice, bob.id, "one");
    await sayTo(bobDevice, ann.id, "two");
    const before = chatIn(await catchUp(bobDevice), chatId);
    await bobDevice.request("clearDialog", { receiverId: ann.id });
    const other = await bob.connect();

    const cleared = chatIn(await catchUp(other, [knownOf(before)]), chatId);
    expect(cleared).toMatchObject({ version: 2, lastSeq: 2, readSeq: 2, clearedSeq: 2, messages: [] });
    expect(chatIn(await catchUp(other), chatId)).toMatchObject({
      version: 2,
      clearedSeq: 2,
      messages: [],
      joined: true,
    });

    await sayTo(annDevice, bob.id, "three");
    expect(textsOf(chatIn(await catchUp(other), chatId))).toEqual(["three"]);
    expect(textsOf(chatIn(await catchUp(annDevice), chatId))).toEqual(["one", "two", "three"]);
  });

  test("a change of what was cleared raises the version and is not told", async () => {
    const { ann, bob, annDevice, bobDevice } = await twoPeople();
    const { chatId, messageId } = await sayTo(annDevice, bob.id, "one");
    await bobDevice.request("clearDialog", { receiverId: ann.id });
    const before = chatIn(await catchUp(bobDevice), chatId);
    await annDevice.request("editMessage", { messageId, content: "one, edited" });
    expect(chatIn(await catchUp(bobDevice, [knownOf(before)]), chatId)).toMatchObject({ version: 2, messages: [] });
  });

  test("a dialog with oneself has oneself on the other side and no mark of another's", async () => {
    const { ann, annDevice } = await twoPeople();
    const { chatId } = await sayTo(annDevice, ann.id, "do not forget");
    const chat = chatIn(await catchUp(annDevice), chatId);
    expect(chat).toMatchObject({ userId: ann.id, readSeq: 1 });
    expect(chat).not.toHaveProperty("peerReadSeq");
    expect((await catchUp(annDevice, [knownOf(chat)])).chats).toEqual([]);
  });

  test("a renamed group is told with its new name and the notice of it", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    await annDevice.request("renameGroup", { groupId, groupName: "a better name" });
    const chat = chatIn(await catchUp(bobDevice, [[groupId, 2, 2]]), groupId);
    expect(chat.groupName).toBe("a better name");
    expect(chat.messages).toMatchObject([{ event: { kind: "groupRenamed", groupName: "a better name" } }]);
  });
});

describe("what is not understood", () => {
  const tuple = [1, 0, 0];
  test.each<[string, object]>([
    ["a chat named twice", { chats: [tuple, tuple] }],
    ["a thousand and one chats", { chats: numbers(1, 1001).map((chatId) => [chatId, 0, 0]) }],
    ["a negative version", { chats: [[1, -1, 0]] }],
    ["a chat without a number", { chats: [[0, 0, 0]] }],
    ["half a message read", { chats: [[1, 0, 0.5]] }],
    ["a number as text", { chats: [["1", 0, 0]] }],
    ["a mark that is null", { chats: [[1, 0, null]] }],
    ["a number beyond what JSON carries exactly", { chats: [[1, 2 ** 53, 0]] }],
    ["a chat of one number", { chats: [[1]] }],
    ["a chat of two numbers", { chats: [[1, 0]] }],
    ["a chat of six numbers", { chats: [[1, 0, 0, 0, 0, 0]] }],
    ["a chat that is no list", { chats: [1] }],
    ["no list of chats", {}],
    ["a range of one number", { chats: [], range: [1] }],
    ["a range of three numbers", { chats: [], range: [1, 2, 3] }],
    ["a range of texts", { chats: [], range: ["1", "2"] }],
  ])("%s is refused", async (_what, params) => {
    const device = await (await messenger().person()).connect();
    expect(await device.requestError("sync", params)).toMatchObject({ type: "sync", code: "VALIDATION" });
  });

  test("a thousand chats are not too many", async () => {
    const device = await (await messenger().person()).connect();
    const chats = numbers(1_000_001, 1_001_000).map((chatId): Known => [chatId, 1, 1, 0, 0]);
    expect((await catchUp(device, chats)).left).toHaveLength(1000);
  });
});

/** What a socket heard of one chat, in the order in which it came. */
type Heard = { how: "push" | "answer"; versions: number[]; version: number } | { how: "left" };

function heardOf(device: Device, chatId: number, from = 0): Heard[] {
  return device.frames.slice(from).flatMap(({ type, params }): Heard[] => {
    if (type === "sync") {
      if (params.item.left.includes(chatId)) return [{ how: "left" }];
      const told = params.item.chats.find((chat: ToldChat) => chat.chatId === chatId);
      return told ? [{ how: "answer", versions: versionsOf(told) ?? [], version: told.version }] : [];
    }
    const { chatId: pushed, version } = params.item ?? {};
    return params.isBroadcast && pushed === chatId && version ? [{ how: "push", versions: [version], version }] : [];
  });
}

const rounds = 30;

describe("catching up while others go on", () => {
  test("a device that comes back amid a burst sees every version once, by answer or by push, in order", async () => {
    const { bob, annDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const { chatId: dialogId } = await sayTo(annDevice, bob.id, "Hi");
    let known: Known[] = [
      [groupId, 2, 2],
      [dialogId, 1, 0],
    ];
    for (let round = 0; round < rounds; round++) {
      const device = await bob.connect();
      const sent = numbers(1, 5).flatMap((n) => [say(annDevice, groupId, `${n}`), sayTo(annDevice, bob.id, `${n}`)]);
      await sent[round % sent.length];
      await catchUp(device, known);
      await Promise.all(sent);
      await device.settle();
      known = known.map(([chatId, version]): Known => {
        const heard = heardOf(device, chatId);
        const at = heard.findIndex(({ how }) => how === "answer");
        const answer = heard[at] ?? { how: "answer", versions: [], version };
        if (answer.how === "left") throw new Error("left without leaving");
        const pushed = (list: Heard[]) => list.flatMap((one) => (one.how === "push" ? one.versions : []));
        // What was pushed before the question reached the server is told again by the answer, which leaves out nothing.
        const early = at < 0 ? [] : pushed(heard.slice(0, at));
        const late = pushed(heard.slice(at + 1));
        const last = version + 5;
        expect(early).toEqual(early.length === 0 ? [] : numbers(early[0] ?? 0, early.at(-1) ?? 0));
        expect(early.every((one) => one <= answer.version)).toBe(true);
        expect(answer.versions).toEqual(numbers(version + 1, answer.version));
        expect(late).toEqual(numbers(answer.version + 1, last));
        return [chatId, last, last];
      });
      await device.close();
    }
    expect(known.map(([, version]) => version)).toEqual([2 + rounds * 5, 1 + rounds * 5]);
  });

  test("a device that asks again and again amid bursts hears every push once, in order, and no gap", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const quietId = await makeGroup(annDevice, bob);
    await bobDevice.settle();
    const from = bobDevice.frames.length;
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      const sent = numbers(1, 10).map((n) => say(annDevice, groupId, `${n}`));
      const asked = numbers(1, 3).map(() =>
        catchUp(bobDevice, [
          [groupId, version, 0],
          [quietId, 2, 2],
        ]),
      );
      await sent[round % 10];
      asked.push(catchUp(bobDevice, [[groupId, version, 0]]));
      await Promise.all([...sent, ...asked]);
      version += 10;
    }
    await bobDevice.settle();
    let told = 2;
    for (const one of heardOf(bobDevice, groupId, from)) {
      if (one.how === "left") throw new Error("left without leaving");
      if (one.how === "push") expect(one.version).toBe(told + 1);
      else {
        expect(one.version).toBeGreaterThanOrEqual(told);
        expect(one.versions).toEqual(numbers(one.versions[0] ?? one.version + 1, one.version));
        expect(one.versions[0] ?? 0).toBeLessThanOrEqual(told + 1);
      }
      told = one.version;
    }
    expect(told).toBe(version);
  });

  test("a chat that has not changed loses no push to a question about others", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    const otherId = await makeGroup(annDevice, bob);
    await bobDevice.settle();
    const from = bobDevice.frames.length;
    for (let round = 0; round < rounds; round++) {
      const asked = catchUp(bobDevice, [[otherId, 2, 0]], [otherId, otherId]);
      await Promise.all([asked, say(annDevice, groupId, "news")]);
    }
    await bobDevice.settle();
    expect(heardOf(bobDevice, groupId, from)).toEqual(
      numbers(3, 2 + rounds).map((version) => ({ how: "push", versions: [version], version })),
    );
  });

  test("someone put out while asking is told so by the answer or by a push after it, and never both", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      await bobDevice.settle();
      const from = bobDevice.frames.length;
      const putOut = annDevice.request("removeUserFromGroup", { groupId, userId: bob.id });
      const asked = numbers(1, 3).map(() => catchUp(bobDevice, [[groupId, version, 0]]));
      await Promise.all([putOut, ...asked]);
      await bobDevice.settle();
      const heard = heardOf(bobDevice, groupId, from).map(({ how }) => how);
      const left = heard.indexOf("left");
      if (left >= 0) expect(heard.slice(left).every((how) => how === "left")).toBe(true);
      else expect(heard).toContain("push");
      await annDevice.request("addUserInGroup", { groupId, userId: bob.id });
      version += 2;
    }
  });

  test("someone taken in again while asking learns of it, by the answer or by a push after it", async () => {
    const { bob, annDevice, bobDevice } = await twoPeople();
    const groupId = await makeGroup(annDevice, bob);
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      await annDevice.request("removeUserFromGroup", { groupId, userId: bob.id });
      await bobDevice.settle();
      const from = bobDevice.frames.length;
      const asked = numbers(1, 3).map(() => catchUp(bobDevice, [[groupId, version, 0]]));
      const takenIn = annDevice.request("addUserInGroup", { groupId, userId: bob.id });
      await Promise.all([takenIn, ...asked]);
      await bobDevice.settle();
      expect(heardOf(bobDevice, groupId, from).at(-1)).toMatchObject({ version: version + 2 });
      version += 2;
    }
  });
});

/** What a message is, without the names around it, which are read afresh. */
const essenceOf = ({ messageId, seq, version, senderId, notification, ...item }: MessageItem) => ({
  ...{ messageId, seq, version, senderId, event: item.event, message: notification ? null : item.message },
  ...{ replyTo: item.replyTo?.messageId, editedAt: item.editedAt, deletedAt: item.deletedAt },
});

interface LocalChat {
  kind: "dialog" | "group";
  groupName: string | undefined;
  userId: number | undefined;
  version: number;
  lastSeq: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq: number | undefined;
  messages: Map<number, ReturnType<typeof essenceOf>>;
}

/** What a device keeps, made of nothing but answers and pushes, by the rule that the documents give to clients. */
class Replica {
  readonly chats = new Map<number, LocalChat>();
  /** Chats in which a change was heard of whose place is not the next. */
  readonly behind = new Set<number>();
  private taken = 0;

  constructor(private readonly userId: number) {}

  get known(): Known[] {
    return [...this.chats].map(([chatId, { version, readSeq, clearedSeq, peerReadSeq }]) =>
      peerReadSeq === undefined
        ? [chatId, version, readSeq, clearedSeq]
        : [chatId, version, readSeq, clearedSeq, peerReadSeq],
    );
  }

  /** Begins to listen to a new socket. */
  restart(): void {
    this.taken = 0;
  }

  /** Takes in what came on this socket since the last look. */
  takeIn({ frames }: Device): void {
    for (const { type, error, params } of frames.slice(this.taken)) {
      if (error || !params.item) continue;
      if (type === "sync") this.answer(params.item);
      else if (type === "markRead") this.read(params.item);
      else if (type === "clearDialog") this.clear(params.item);
      else if (params.item.version) this.follow(params.item);
    }
    this.taken = frames.length;
  }

  answer({ chats, left }: Answer): void {
    for (const chatId of left) this.chats.delete(chatId);
    for (const { chatId, messages, ...told } of chats) {
      const { kind, groupName, userId, version, lastSeq, readSeq, clearedSeq, peerReadSeq } = told;
      const afresh = told.tooLong || told.reset;
      const kept = afresh ? undefined : this.chats.get(chatId)?.messages;
      const chat = { kind, groupName, userId, version, lastSeq, readSeq, clearedSeq, peerReadSeq };
      this.chats.set(chatId, { ...chat, messages: kept ?? new Map() });
      for (const item of messages) this.keep(chatId, item);
      this.clear({ chatId, clearedSeq, readSeq });
    }
  }

  private follow(item: MessageItem): void {
    const { chatId, version, seq, senderId, event } = item;
    const chat = this.chats.get(chatId);
    if (version <= (chat?.version ?? 0)) return;
    const goes = event?.kind === "memberLeft" ? event.byUserId : event?.kind === "memberRemoved" ? event.userId : 0;
    if (goes === this.userId || event?.kind === "groupDeleted") this.chats.delete(chatId);
    else if (chat && version === chat.version + 1) {
      chat.version = version;
      if (item.groupName !== undefined) chat.groupName = item.groupName;
      // Who says something has read what stands before it.
      if (seq > chat.lastSeq) this.read({ chatId, userId: senderId, readSeq: seq });
      chat.lastSeq = Math.max(chat.lastSeq, seq);
      this.keep(chatId, item);
    } else this.behind.add(chatId);
  }

  private keep(chatId: number, item: MessageItem): void {
    const chat = this.chats.get(chatId);
    if (chat && item.seq > chat.clearedSeq) chat.messages.set(item.seq, essenceOf(item));
  }

  private read({ chatId, userId, readSeq }: { chatId: number; userId: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else if (chat.kind === "dialog") chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  private clear({ chatId, clearedSeq, readSeq }: { chatId: number; clearedSeq: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    chat.clearedSeq = Math.max(chat.clearedSeq, clearedSeq);
    chat.readSeq = Math.max(chat.readSeq, readSeq);
    for (const seq of chat.messages.keys()) if (seq <= chat.clearedSeq) chat.messages.delete(seq);
  }

  /** Everything, in an order that does not depend on how it was learnt. */
  get state() {
    return [...this.chats]
      .sort(([a], [b]) => a - b)
      .map(([chatId, { messages, ...chat }]) => ({
        ...{ chatId, ...chat },
        messages: [...messages.values()].sort((a, b) => a.seq - b.seq),
      }));
  }
}

/** Someone of the walk: a person, the device while there is one, and what was learnt. */
interface Walker {
  person: TestUser;
  device: Device | undefined;
  replica: Replica;
}

/** Takes in what came, and asks for each chat that has a gap, alone, until there is none. */
async function keepUp({ device, replica }: Walker): Promise<void> {
  if (!device) return;
  await device.settle();
  replica.takeIn(device);
  while (replica.behind.size > 0) {
    for (const chatId of [...replica.behind]) {
      replica.behind.delete(chatId);
      const known = replica.known.filter(([id]) => id === chatId);
      await catchUp(device, known, [chatId, chatId]);
    }
    replica.takeIn(device);
  }
}

/** Comes back after an absence, and asks for all that differs. */
async function comeBack(walker: Walker): Promise<void> {
  const { person, replica } = walker;
  const device = await person.connect();
  walker.device = device;
  replica.restart();
  for (let more = true; more; ) {
    more = (await catchUp(device, replica.known)).hasMore;
    replica.takeIn(device);
  }
}

/** Does something at random; much of it is refused, and that is part of it. */
async function act(
  random: Random,
  { actors, all }: { actors: readonly Walker[]; all: readonly Walker[] },
  scene: { groups: number[]; messages: number[] },
): Promise<void> {
  const walker = random.pick(actors);
  const other = random.pick(all)?.person;
  const groupId = random.pick(scene.groups) ?? 0;
  const messageId = random.pick(scene.messages.slice(-30)) ?? 1;
  if (!walker || !other) return;
  const { device, replica } = walker;
  if (!device) return comeBack(walker);
  const ask = async (type: string, params: object) => {
    const answer = await device.exchange({ type, params });
    expect(["INTERNAL", "UNAVAILABLE", "VALIDATION"]).not.toContain(answer.code);
    if (answer.params?.item?.messageId) scene.messages.push(answer.params.item.messageId);
    return answer;
  };
  const content = `text ${scene.messages.length}`;
  const [chatId, chat] = random.pick([...replica.chats]) ?? [groupId, undefined];
  const actions: [weight: number, () => Promise<unknown>][] = [
    [8, () => ask("messageInGroup", { groupId, content, ...(random.chance(0.2) && { replyTo: messageId }) })],
    [6, () => ask("privateMessage", { receiverId: other.id, content })],
    [5, () => ask("editMessage", { messageId, content: `${content}, edited` })],
    [3, () => ask("deleteMessage", { messageId })],
    [4, () => ask("addUserInGroup", { groupId, userId: other.id })],
    [2, () => ask("removeUserFromGroup", { groupId, userId: other.id })],
    [1, () => ask("leaveGroup", { groupId })],
    [2, () => ask("renameGroup", { groupId, groupName: `name ${scene.messages.length}` })],
    [2, () => ask("setMemberRole", { groupId, userId: other.id, role: random.pick(["admin", "member"]) })],
    [1, () => ask("transferOwnership", { groupId, userId: other.id })],
    [5, () => ask("markRead", { chatId, seq: random.between(1, (chat?.lastSeq ?? 1) + 1) })],
    [2, () => ask("clearDialog", { receiverId: other.id })],
    [1, async () => scene.groups.push((await ask("newGroup", { groupName: "another" })).params.item.chatId)],
    [
      4,
      async () => {
        walker.device = undefined;
        replica.takeIn(device);
        await device.close();
      },
    ],
  ];
  const choices = actions.flatMap(([weight, action]) => Array<typeof action>(weight).fill(action));
  await random.pick(choices)?.();
}

describe("a random walk", () => {
  test("what devices made of answers and pushes is what a new device of the same person is told", async () => {
    const seed = Number(process.env.WALK_SEED) || Math.floor(Math.random() * 2 ** 31);
    const random = new Random(seed);
    const walkers: Walker[] = [];
    for (const name of ["Ann", "Bob", "Carl"]) {
      const person = await messenger().person(name);
      walkers.push({ person, device: await person.connect(), replica: new Replica(person.id) });
    }
    const [ann, bob, carl] = walkers;
    if (!ann?.device || !bob?.device || !carl) throw new Error("nobody is there");
    const groups = [await makeGroup(ann.device, bob.person, carl.person), await makeGroup(bob.device, ann.person)];
    const scene = { groups, messages: [] };
    let actions = 0;
    try {
      while (actions < 150) {
        // Some at the same time, but no two that open or close the same socket.
        const crowd = random.chance(0.5) ? [walkers] : walkers.map((walker) => [walker]);
        await Promise.all(crowd.map((actors) => act(random, { actors, all: walkers }, scene)));
        actions += crowd.length;
        for (const walker of walkers) await keepUp(walker);
        for (const { person, device, replica } of walkers) {
          if (!device) continue;
          const fresh = await person.connect();
          const afresh = new Replica(person.id);
          for (let more = true; more; ) {
            const answer = await catchUp(fresh, afresh.known);
            afresh.answer(answer);
            more = answer.hasMore;
          }
          await fresh.close();
          expect(replica.state).toEqual(afresh.state);
        }
      }
    } catch (error) {
      throw new Error(`WALK_SEED=${seed}, after ${actions} actions: ${error instanceof Error ? error.message : error}`);
    }
  });
});
