import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { annAndBob, createGroup, numbers, sendToGroup } from "./support/scenes.ts";
import { chatIn, insertMessages, type KnownChat, knownOf, syncWith, versionsOf } from "./support/sync.ts";

/* Sync answers that would be too long: the newest messages only, or a part with `hasMore`. */

const messenger = useMessenger();

describe("sync with too many changes", () => {
  test("five hundred changes of a chat are returned one by one", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 500 });
    const chat = chatIn(await syncWith(bob.device, [[groupId, 2, 2]]), groupId);
    expect(chat.tooLong).toBeUndefined();
    expect(chat.version).toBe(502);
    expect(versionsOf(chat)).toEqual(numbers(3, 502));
  });

  test("instead of five hundred and one changes the newest fifty messages are returned", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 501 });
    const answer = await syncWith(bob.device, [[groupId, 2, 2]]);
    const chat = chatIn(answer, groupId);
    expect(answer.hasMore).toBe(false);
    expect(chat).toMatchObject({ tooLong: true, version: 503, lastSeq: 503 });
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(454, 503));
    expect((await syncWith(bob.device, [knownOf(chat)])).chats).toEqual([]);
  });

  test("a long chat that the device does not know is both joined and too long", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 600 });
    const chat = chatIn(await syncWith(bob.device), groupId);
    expect(chat).toMatchObject({ joined: true, tooLong: true, version: 602 });
    expect(chat.messages).toHaveLength(50);
  });

  test("a chat that is too long comes with its newest messages, edited ones included, without edited old ones", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const old = await sendToGroup(ann.device, groupId, "old");
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 501 });
    await ann.device.request("editMessage", { messageId: old.messageId, content: "old, edited" });
    const chat = chatIn(await syncWith(bob.device, [[groupId, 3, 0]]), groupId);
    expect(chat).toMatchObject({ tooLong: true, version: 505, lastSeq: 504 });
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(455, 504));
  });

  test("a device that is ahead of a restored server gets a reset with the newest messages", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 58 });
    const answer = await syncWith(bob.device, [[groupId, 61, 61]]);
    const chat = chatIn(answer, groupId);
    expect(chat).toMatchObject({ reset: true, version: 60, lastSeq: 60, readSeq: 2 });
    expect(chat.tooLong).toBeUndefined();
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(11, 60));
  });

  test("after a reset the next message is pushed with the version that follows", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const synced = syncWith(bob.device, [[groupId, 50, 50]]);
    const sent = sendToGroup(ann.device, groupId, "Hi");
    const chat = chatIn(await synced, groupId);
    await sent;
    await bob.device.settle();
    const { version } = await sent;
    const received =
      chat.version === version || bob.device.pushes().some(({ params }) => params.item.version === version);
    expect(received).toBe(true);
  });

  test.each([
    ["three bytes", "€", 4096],
    ["four bytes", "😀", 2048],
    ["one byte, six in JSON", "\u0001", 4096],
  ])(
    "an answer with characters of %s ends at 512 KiB with hasMore, and further requests return the rest",
    async (_what, character, length) => {
      const { ann, bob } = await annAndBob(messenger());
      const sizes = [3, 40, 45, 30, 2];
      const ids: number[] = [];
      for (const count of sizes) {
        const groupId = await createGroup(ann.device, [bob]);
        await insertMessages(messenger(), {
          chatId: groupId,
          senderId: ann.id,
          count: count,
          content: character.repeat(length),
        });
        ids.push(groupId);
      }
      const seen = new Map<number, number[]>();
      const known = new Map<number, KnownChat>();
      const cuts: { chatId: number; version: number }[] = [];
      let answers = 0;
      for (let more = true; more; answers++) {
        const answer = await syncWith(bob.device, [...known.values()]);
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
      expect(await syncWith(bob.device, [...known.values()])).toMatchObject({ chats: [], left: [], hasMore: false });
    },
  );

  test.each([
    ["too much has changed", "tooLong", 3],
    ["the server was restored", "reset", 9_999],
  ])("when %s, the newest messages that fit are returned without a gap", async (_why, flag, version) => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const otherId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 500 });
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 50, content: "€".repeat(4096) });
    // The oldest of the newest fifty, changed last: it does not fit beside the others.
    const [first] = await messenger().sql<{ id: number }>(
      "SELECT id FROM messages WHERE chat_id = $groupId ORDER BY seq DESC OFFSET 49 LIMIT 1",
      { groupId },
    );
    if (!first) throw new Error("there is no such message");
    await ann.device.request("editMessage", { messageId: first.id, content: "short" });

    const known: KnownChat = [groupId, version, 2];
    const alone = await syncWith(bob.device, [known], { range: [groupId, groupId] });
    expect(alone.hasMore).toBe(false);
    const chat = chatIn(alone, groupId);
    expect(chat).toMatchObject({ [flag]: true, version: 553, lastSeq: 552 });
    expect(chat.messages.length).toBeGreaterThan(30);
    expect(chat.messages.map(({ seq }) => seq)).toEqual(numbers(552 - chat.messages.length + 1, 552));

    const full = await syncWith(bob.device, [known]);
    expect(full.chats).toEqual([chat]);
    expect(full.hasMore).toBe(true);
    const rest = await syncWith(bob.device, [knownOf(chat)]);
    expect(rest.chats.map(({ chatId }) => chatId)).toEqual([otherId]);
    expect(rest.hasMore).toBe(false);
  });

  test("a chat returned in part continues with pushes after the rest was requested", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await insertMessages(messenger(), { chatId: groupId, senderId: ann.id, count: 60, content: "€".repeat(4096) });
    const first = chatIn(await syncWith(bob.device, [[groupId, 2, 2]]), groupId);
    const rest = syncWith(bob.device, [knownOf(first)]);
    const sent = sendToGroup(ann.device, groupId, "during the sync");
    const second = chatIn(await rest, groupId);
    const { version } = await sent;
    await bob.device.settle();
    const versions = [...numbers(1, 2), ...(versionsOf(first) ?? []), ...(versionsOf(second) ?? [])];
    expect(versions).toEqual(numbers(1, second.version));
    if (second.version < version) expect(bob.device.pushes().at(-1)?.params.item).toMatchObject({ version });
  });
});
