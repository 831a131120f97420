import { describe, expect, test } from "@jest/globals";
import { purgeEndedChat, someEndedChat } from "../src/db/queries/messages/ended-chats.ts";
import { purgeEndedChats } from "../src/jobs/purge-ended-chats.ts";
import { clearPushes, groupOfSix, notMember, pushesTo, storedGroup } from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, errorOf, listChats, participant, sendToGroup, unknownId } from "./support/scenes.ts";
import { silentLog } from "./support/silent.ts";

/* Ended groups: how they answer, what is kept of them, and how the rest is purged. */

const messenger = useMessenger();

const texts = (messages: { content: string }[]) => messages.map(({ content }) => content);

describe("an ended group", () => {
  test("keeps its messages for an hour, so that other processes can still read the deletion", async () => {
    const { device } = await participant(messenger());
    const [recent, old] = [await createGroup(device), await createGroup(device)];
    for (const groupId of [recent, old]) await device.request("deleteGroup", { groupId });
    const { messages } = await storedGroup(messenger(), recent);
    await messenger().sql(
      "UPDATE chats SET deleted_at = deleted_at - make_interval(mins => 61) WHERE id = $old RETURNING id",
      { old },
    );
    const stop = purgeEndedChats({ database: messenger().db, log: silentLog });
    for (let attempt = 0; (await storedGroup(messenger(), old)).messages.length > 1; attempt++) {
      expect(attempt).toBeLessThan(10_000);
    }
    stop();
    expect((await storedGroup(messenger(), recent)).messages).toEqual(messages);
  });

  test("behaves like an unknown group for reads and writes", async () => {
    const { groupId, people, members } = await groupOfSix(messenger());
    await people.owner.device.request("deleteGroup", { groupId });
    await clearPushes(members);
    for (const { device } of members) {
      expect(await listChats(device)).toEqual([]);
      for (const [type, params] of [
        ["getlatestMessageGroup", { limit: 5, page: 1 }],
        ["listGroupMembers", { limit: 5, page: 1 }],
        ["messageInGroup", { content: "hello?" }],
        ["addUserInGroup", { userId: people.stranger.id }],
        ["leaveGroup", {}],
        ["renameGroup", { groupName: "mine" }],
        ["deleteGroup", {}],
      ] as const) {
        const error = await errorOf(device, type, { groupId, ...params });
        expect(error).toMatchObject(notMember);
        expect(error).toEqual(await errorOf(device, type, { groupId: unknownId, ...params }));
      }
    }
    for (const { otherDevice } of members) expect(await pushesTo(otherDevice)).toEqual([]);
    expect((await storedGroup(messenger(), groupId)).members).toEqual([]);
  });

  /** Purges all ended groups. Returns what remained of this one before and after each chunk. */
  async function purge<T>(groupId: number, remaining: () => Promise<T>): Promise<T[]> {
    const states = [await remaining()];
    for (
      let ended = await someEndedChat(messenger().db, { endedForMs: 0 });
      ended !== undefined;
      ended = await someEndedChat(messenger().db, { endedForMs: 0 })
    ) {
      await purgeEndedChat(messenger().db, ended);
      if (ended === groupId) states.push(await remaining());
      expect(states.length).toBeLessThan(10);
    }
    return states;
  }

  test("is purged in chunks, keeps the rows with client ids, and leaves other groups alone", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const otherGroup = await createGroup(people.owner.device, [], "next door");
    await sendToGroup(people.owner.device, otherGroup, "still here");
    // Every fifth message has a client id.
    await messenger().sql(
      `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at, client_message_id)
       SELECT id, last_seq + n, last_seq + n, $senderId, 'many', clock_timestamp(),
              CASE WHEN n % 5 = 0 THEN 'client-id-' || n END
         FROM chats, generate_series(1, 2500) AS n WHERE id = $groupId`,
      { groupId, senderId: people.owner.id },
    );
    await messenger().sql("UPDATE chats SET last_seq = last_seq + 2500, version = version + 2500 WHERE id = $groupId", {
      groupId,
    });
    const otherGroupBefore = await storedGroup(messenger(), otherGroup);
    const remaining = async () => {
      const { messages } = await storedGroup(messenger(), groupId);
      return { rows: messages.length, texts: texts(messages).filter((text) => text !== "").length };
    };
    const before = await remaining();
    expect(before).toEqual({ rows: before.rows, texts: 2500 });
    // A group that has not ended is not purged, even on request.
    expect(await someEndedChat(messenger().db, { endedForMs: 0 })).not.toBe(groupId);
    await purgeEndedChat(messenger().db, groupId);
    expect(await remaining()).toEqual(before);

    await people.owner.device.request("deleteGroup", { groupId });
    const systemMessages = before.rows - 2500 + 1;
    expect(await purge(groupId, remaining)).toEqual([
      { rows: systemMessages + 2500, texts: 2500 },
      // The newest row is the system message about the deletion.
      { rows: systemMessages - 1 + 1501 + 200, texts: 1501 },
      { rows: systemMessages - 1 + 501 + 400, texts: 501 },
      { rows: 500, texts: 0 },
    ]);
    expect(await storedGroup(messenger(), otherGroup)).toEqual(otherGroupBefore);
    expect(
      await people.admin.device.requestError("getlatestMessageGroup", { groupId, limit: 5, page: 1 }),
    ).toMatchObject(notMember);
  });

  test("answers a repeated send the same before and after the purge", async () => {
    const { device } = await participant(messenger());
    const groupId = await createGroup(device);
    const send = async (content: string, more: object = {}) => {
      const params = { groupId, content, clientMessageId: crypto.randomUUID(), ...more };
      const { messageId } = (await device.request("messageInGroup", params)).params.item;
      return { params, messageId };
    };
    const plain = await send("plain");
    const withoutClientId = await send("without a client id", { clientMessageId: undefined });
    const reply = await send("reply", { replyTo: withoutClientId.messageId });
    const edited = await send("edited");
    const deleted = await send("deleted");
    const { messageId } = edited;
    await device.request("editMessage", { messageId, content: "edited since" });
    await device.request("deleteMessage", { messageId: deleted.messageId });
    const newGroup = { groupName: "created once", clientMessageId: crypto.randomUUID() };
    const createOnce = async () => (await device.request("newGroup", newGroup)).params.item;
    const { chatId } = await createOnce();
    for (const ended of [groupId, chatId]) await device.request("leaveGroup", { groupId: ended });

    const repeatAll = async () => {
      const items = [await createOnce()];
      for (const { params } of [plain, reply, edited, deleted]) {
        items.push((await device.request("messageInGroup", params)).params.item);
      }
      return items;
    };
    const before = await repeatAll();
    expect(before).toMatchObject(before.map(() => ({ duplicate: true })));
    await purge(groupId, async () => undefined);
    expect(texts((await storedGroup(messenger(), groupId)).messages)).toEqual(["", "", "", ""]);
    expect(await repeatAll()).toEqual(before);
    expect(await device.requestError("editMessage", { messageId, content: "back" })).toMatchObject({
      code: "NOT_FOUND",
    });
  });
});
