import { describe, expect, test } from "@jest/globals";
import { registry } from "../src/ws/registry.ts";
import { expectWellFormedError } from "./support/bad-frames.ts";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  deleteAccount,
  errorOf,
  listChats,
  participant,
  participants,
  sendPrivately,
  unknownId,
} from "./support/scenes.ts";

/* Valid requests that are rejected: their errors, which reveal nothing and change nothing. */

const messenger = useMessenger();

describe("rejected requests with valid params", () => {
  /** The error, after a check of the properties that all errors have in common. */
  async function wellFormedErrorOf(device: Device, type: string, params: object) {
    const error = await errorOf(device, type, params);
    expectWellFormedError(error);
    return error;
  }

  test("a message to an unknown user and one to a deleted account get the same error", async () => {
    const [{ device }, peer, stranger] = await participants(messenger(), 1, 1, 1);
    await sendPrivately(device, peer.id, "before the deletion");
    for (const person of [peer, stranger]) await deleteAccount(messenger(), person);
    const before = await listChats(device);
    const noSuchUser = { error: true, type: "privateMessage", code: "NOT_FOUND", message: "There is no such user" };
    for (const receiverId of [peer.id, stranger.id, unknownId, 2 ** 31, 2 ** 53 - 1]) {
      expect(await wellFormedErrorOf(device, "privateMessage", { receiverId, content: "hello?" })).toEqual(noSuchUser);
    }
    expect(await listChats(device)).toEqual(before);
    expect(
      await wellFormedErrorOf(device, "getlatestMessageDialog", { receiverId: 2 ** 53 - 1, limit: 1, page: 1 }),
    ).toEqual({ ...noSuchUser, type: "getlatestMessageDialog" });
    for (const receiverId of [peer.id, stranger.id]) {
      const { params } = await device.request("getlatestMessageDialog", { receiverId, limit: 5, page: 1 });
      expect(params.data).toHaveLength(receiverId === peer.id ? 1 : 0);
    }
  });

  const groupTypes = [...registry.values()].filter(({ example }) => "groupId" in example.params);

  test.each(groupTypes.map(({ type }) => type))(
    "%s gets the same error for groups that are unknown, left, ended or of other users, and for dialogs",
    async (type) => {
      const [ann, bob] = await participants(messenger(), 1, 1);
      const { device } = ann;
      const othersGroupId = await createGroup(bob.device);
      const leftId = await createGroup(bob.device, [ann]);
      await device.request("leaveGroup", { groupId: leftId });
      const endedId = await createGroup(device);
      await device.request("leaveGroup", { groupId: endedId });
      const { chatId: dialogId, messageId } = await sendPrivately(device, bob.id, "hi");
      const { chatId: othersDialogId } = await sendPrivately(bob.device, bob.id, "me");
      const before = [await listChats(device), await listChats(bob.device)];

      const example = registry.get(type)?.example.params;
      const params = {
        ...example,
        ...("userId" in example && { userId: bob.id }),
        ...("messageId" in example && { messageId }),
      };
      for (const groupId of [2 ** 53 - 1, othersGroupId, leftId, endedId, dialogId, othersDialogId]) {
        expect(await wellFormedErrorOf(device, type, { ...params, groupId })).toEqual({
          error: true,
          type,
          code: "NOT_MEMBER",
          message: "User is not a member of this group",
        });
      }
      expect([await listChats(device), await listChats(bob.device)]).toEqual(before);
    },
  );

  test("adding a member again is a conflict, an unknown user is not found, and a stranger gets NOT_MEMBER for both", async () => {
    const [ann, bob, stranger] = await participants(messenger(), 1, 1, 1);
    const { device } = ann;
    const groupId = await createGroup(device, [bob]);
    const before = await listChats(device);
    const type = "addUserInGroup";
    for (const userId of [bob.id, ann.id]) {
      expect(await wellFormedErrorOf(device, type, { groupId, userId })).toEqual({
        error: true,
        type,
        code: "CONFLICT",
        message: "User is already a member of this group",
      });
    }
    expect(await wellFormedErrorOf(device, type, { groupId, userId: 2 ** 53 - 1 })).toEqual({
      error: true,
      type,
      code: "NOT_FOUND",
      message: "There is no such user",
    });
    for (const userId of [bob.id, ann.id, stranger.id, 2 ** 53 - 1]) {
      expect(await wellFormedErrorOf(stranger.device, type, { groupId, userId })).toEqual({
        error: true,
        type,
        code: "NOT_MEMBER",
        message: "User is not a member of this group",
      });
    }
    expect(await listChats(device)).toEqual(before);
  });

  test("an ex-member cannot leave again", async () => {
    const [{ device }, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(device, [bob]);
    await bob.device.request("leaveGroup", { groupId });
    expect(await wellFormedErrorOf(bob.device, "leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
    await device.request("leaveGroup", { groupId });
    expect(await wellFormedErrorOf(device, "leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
  });
});

test("a page past the end is an empty list", async () => {
  const ann = await participant(messenger());
  const { device } = ann;
  const groupId = await createGroup(device);
  await sendPrivately(device, ann.id, "me");
  for (const [limit, page] of [
    [100, 2],
    [1, 3],
    [100, 2 ** 31 - 1],
    [1, 2 ** 31 - 1],
  ] as const) {
    const answers = [
      await device.request("listLastMessage", { limit, page }),
      await device.request("getlatestMessageGroup", { groupId, limit, page }),
      await device.request("getlatestMessageDialog", { receiverId: ann.id, limit, page }),
    ];
    expect(answers.map(({ params }) => params.data)).toEqual([[], [], []]);
  }
});
