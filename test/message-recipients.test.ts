import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  findChat,
  groupHistory,
  listChats,
  participant,
  participants,
  pushesDuring,
  sendPrivately,
  sendToGroup,
  typeAndText,
} from "./support/scenes.ts";

/* Recipients: which devices each kind of change is pushed to. */

const messenger = useMessenger();

describe("recipients of a change", () => {
  test("a group message is pushed to every device of every member except the sending one, which gets the answer", async () => {
    const [ann, bob, cid, stranger] = await participants(messenger(), 2, 2, 2, 1);
    const groupId = await createGroup(ann.device, [bob, cid], "six devices");
    const all = [...ann.devices, ...bob.devices, ...cid.devices, stranger.device];
    const [own, ...others] = await pushesDuring(all, async () => {
      const { params } = await ann.device.request("messageInGroup", { groupId, content: "hello" });
      expect(params).toEqual({
        data: null,
        message: null,
        senderName: null,
        isBroadcast: false,
        item: {
          chatId: groupId,
          messageId: expect.any(Number),
          seq: 4,
          version: 4,
          senderId: ann.id,
          senderName: ann.firstName,
          senderLastName: null,
          groupId,
          groupName: "six devices",
          message: "hello",
          notification: false,
          createdAt: expect.stringMatching(/Z$/),
          editedAt: null,
          deletedAt: null,
        },
      });
    });
    const answer = ann.device.frames.findLast(({ type }) => type === "messageInGroup");
    expect(own).toEqual([]);
    expect(others.pop()).toEqual([]);
    for (const pushes of others) {
      expect(pushes).toEqual([
        {
          type: "messageInGroup",
          success: true,
          params: {
            data: null,
            message: "hello",
            senderName: ann.firstName,
            item: answer.params.item,
            isBroadcast: true,
          },
        },
      ]);
    }
  });

  test("a private message is pushed to every device of both people except the sending one, which gets the answer", async () => {
    const [ann, bob, stranger] = await participants(messenger(), 2, 2, 1);
    const all = [...ann.devices, ...bob.devices, stranger.device];
    const [own, second, ...rest] = await pushesDuring(all, async () => {
      const item = await sendPrivately(ann.device, bob.id, "psst");
      expect(item).toMatchObject({ seq: 1, version: 1, receiverId: bob.id, message: "psst" });
      expect(item).not.toHaveProperty("groupId");
    });
    expect([own, rest.pop()]).toEqual([[], []]);
    for (const pushes of [second, ...rest]) {
      expect(pushes).toHaveLength(1);
      expect(pushes?.[0]).toMatchObject({
        type: "privateMessage",
        params: { message: "psst", senderName: ann.firstName, item: { senderId: ann.id, receiverId: bob.id } },
      });
    }
  });

  test("a message to oneself is stored and pushed once to the sender's other devices", async () => {
    const ann = await participant(messenger(), { devices: 2 });
    const [own, second] = await pushesDuring(ann.devices, async () => {
      for (const content of ["note", "and another"]) await sendPrivately(ann.device, ann.id, content);
    });
    expect(own).toEqual([]);
    expect(second?.map(typeAndText)).toEqual([
      ["privateMessage", "note"],
      ["privateMessage", "and another"],
    ]);
    expect(await listChats(ann.device)).toEqual([
      expect.objectContaining({ senderId: ann.id, receiverId: ann.id, content: "and another", unread: 0, readSeq: 2 }),
    ]);
    const { params } = await ann.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 9, page: 1 });
    expect(params.data.map(({ content }) => content)).toEqual(["and another", "note"]);
  });

  test("a new group is pushed to the creator's other devices only", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const [own, second, bobs] = await pushesDuring([...ann.devices, bob.device], async () => {
      const { params } = await ann.device.request("newGroup", { groupName: "mine" });
      expect(params.item).toMatchObject({ seq: 1, version: 1, groupName: "mine", notification: true });
      expect(params.item.groupId).toBe(params.item.chatId);
    });
    expect([own, bobs]).toEqual([[], []]);
    expect(second?.map(typeAndText)).toEqual([["newGroup", `${ann.firstName} created the group "mine"`]]);
    expect(second?.[0]?.params.item.event).toEqual({ kind: "groupCreated", byUserId: ann.id, groupName: "mine" });
  });

  test("an added member and all other members receive the push on every device", async () => {
    const [ann, bob, cid] = await participants(messenger(), 2, 2, 2);
    const groupId = await createGroup(ann.device, [bob], "growing");
    const all = [...ann.devices, ...bob.devices, ...cid.devices];
    const [own, ...others] = await pushesDuring(all, () =>
      ann.device.request("addUserInGroup", { groupId, userId: cid.id }),
    );
    expect(own).toEqual([]);
    for (const pushes of others) {
      expect(pushes.map(typeAndText)).toEqual([
        ["addUserInGroup", `${ann.firstName} added ${cid.firstName} to the group`],
      ]);
      expect(pushes[0]?.params.item.event).toEqual({ kind: "memberAdded", byUserId: ann.id, userId: cid.id });
    }
    const received = await pushesDuring(all, () => sendToGroup(cid.device, groupId, "thanks"));
    expect(received.map((pushes) => pushes.length)).toEqual([1, 1, 1, 1, 0, 1]);
    expect((await groupHistory(cid.device, groupId)).map(({ seq }) => seq)).toEqual([4, 3, 2, 1]);
  });

  test("a member who leaves receives the push on other devices and nothing afterwards", async () => {
    const [ann, bob] = await participants(messenger(), 2, 2);
    const groupId = await createGroup(ann.device, [bob], "shrinking");
    const all = [...bob.devices, ...ann.devices];
    const [own, ...others] = await pushesDuring(all, () => bob.device.request("leaveGroup", { groupId }));
    expect(own).toEqual([]);
    for (const pushes of others) {
      expect(pushes.map(typeAndText)).toEqual([["leaveGroup", `${bob.firstName} left the group`]]);
      expect(pushes[0]?.params.item.event).toEqual({ kind: "memberLeft", byUserId: bob.id });
    }
    const received = await pushesDuring(all, () => sendToGroup(ann.device, groupId, "gone?"));
    expect(received.map((pushes) => pushes.length)).toEqual([0, 0, 0, 1]);
    expect(await findChat(bob.device, groupId)).toBeUndefined();
    expect(await bob.device.requestError("messageInGroup", { groupId, content: "x" })).toMatchObject({
      code: "NOT_MEMBER",
    });
  });
});
