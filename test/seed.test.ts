import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, sendPrivately, sendToGroup } from "./support/scenes.ts";

/*
 * The document that specified the product, example by example: exactly its requests are sent, without a requestId, and
 * exactly its keys and values are compared. Additional keys are ignored.
 */

const messenger = useMessenger();

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const anId = expect.any(Number);

/** Two connected people, as in the document: Patrick0 and Patrick1. */
async function twoPatricks() {
  const patrick0 = await messenger().person("Patrick0");
  const patrick1 = await messenger().person("Patrick1");
  return { patrick0, patrick1, device0: await patrick0.connect(), device1: await patrick1.connect() };
}

const nullAnswer = (type: string) => ({ type, success: true, params: { data: null, message: null, senderName: null } });

describe("the examples of the specification", () => {
  test("1: an invalid token gets 401 and the connection ends", async () => {
    await expect(messenger().connect("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6MX0.x")).rejects.toThrow(
      "Unexpected server response: 401",
    );
  });

  test("2: the list of chats with their latest messages", async () => {
    const { patrick0, patrick1, device0, device1 } = await twoPatricks();
    await sendPrivately(device1, patrick0.id, "Hi");
    const answer = await device0.sendRaw({ type: "listLastMessage", params: { limit: 5, page: 1 } });
    expect(answer).toMatchObject({
      type: "listLastMessage",
      success: true,
      params: {
        data: [
          {
            id: anId,
            senderId: patrick1.id,
            senderName: "Patrick1",
            receiverId: patrick0.id,
            receiverName: "Patrick0",
            groupId: null,
            groupName: null,
            content: "Hi",
            createdAt: time,
            updatedAt: time,
            deletedAt: null,
          },
        ],
        message: null,
        senderName: null,
      },
    });
  });

  test("3: the latest messages of a dialog", async () => {
    const { patrick0, patrick1, device0, device1 } = await twoPatricks();
    await sendPrivately(device0, patrick1.id, "Message from 1");
    await sendPrivately(device1, patrick0.id, "Message from 2");
    const answer = await device1.sendRaw({
      type: "getlatestMessageDialog",
      params: { receiverId: patrick0.id, limit: 5, page: 1 },
    });
    expect(answer).toMatchObject({
      type: "getlatestMessageDialog",
      success: true,
      params: {
        data: [
          {
            sender_id: patrick1.id,
            receiver_id: patrick0.id,
            receverName: "Patrick0",
            content: "Message from 2",
            created_at: time,
          },
          {
            sender_id: patrick0.id,
            receiver_id: patrick1.id,
            receverName: "Patrick1",
            content: "Message from 1",
            created_at: time,
          },
        ],
        message: null,
        senderName: null,
      },
    });
  });

  test("4: the latest messages of a group", async () => {
    const { patrick0, device0 } = await twoPatricks();
    const groupId = await createGroup(device0);
    await sendToGroup(device0, groupId, "Message from 8");
    const answer = await device0.sendRaw({ type: "getlatestMessageGroup", params: { groupId, limit: 1, page: 1 } });
    expect(answer).toMatchObject({
      type: "getlatestMessageGroup",
      success: true,
      params: {
        data: [
          {
            sender_id: patrick0.id,
            senderName: "Patrick0",
            group_id: groupId,
            created_at: time,
            content: "Message from 8",
          },
        ],
        message: null,
        senderName: null,
      },
    });
  });

  test("5: creating a group", async () => {
    const { device0 } = await twoPatricks();
    const answer = await device0.sendRaw({ type: "newGroup", params: { groupName: "new name" } });
    expect(answer).toMatchObject(nullAnswer("newGroup"));
  });

  test("6: adding a user to a group", async () => {
    const { patrick1, device0 } = await twoPatricks();
    const groupId = await createGroup(device0);
    const answer = await device0.sendRaw({ type: "addUserInGroup", params: { groupId, userId: patrick1.id } });
    expect(answer).toMatchObject(nullAnswer("addUserInGroup"));
  });

  test("7: leaving a group", async () => {
    const { device0 } = await twoPatricks();
    const groupId = await createGroup(device0);
    const answer = await device0.sendRaw({ type: "leaveGroup", params: { groupId } });
    expect(answer).toMatchObject(nullAnswer("leaveGroup"));
  });

  test("8: a message in a group", async () => {
    const { device0 } = await twoPatricks();
    const groupId = await createGroup(device0);
    const answer = await device0.sendRaw({ type: "messageInGroup", params: { groupId, content: "lol" } });
    expect(answer).toMatchObject(nullAnswer("messageInGroup"));
  });

  test("8: a private message", async () => {
    const { patrick1, device0 } = await twoPatricks();
    const answer = await device0.sendRaw({
      type: "privateMessage",
      params: { receiverId: patrick1.id, content: "Hi" },
    });
    expect(answer).toMatchObject(nullAnswer("privateMessage"));
  });

  test("9: the push to the receiver of a message", async () => {
    const { patrick1, device0, device1 } = await twoPatricks();
    await sendPrivately(device0, patrick1.id, "Hi");
    expect(await device1.nextPush()).toMatchObject({
      type: "privateMessage",
      success: true,
      params: { data: null, message: "Hi", senderName: "Patrick0" },
    });
  });

  test("10: an error", async () => {
    const { patrick0, device0, device1 } = await twoPatricks();
    const groupId = await createGroup(device0);
    const answer = await device1.sendRaw({ type: "addUserInGroup", params: { groupId, userId: patrick0.id } });
    expect(answer).toMatchObject({
      error: true,
      type: "addUserInGroup",
      message: "User is not a member of this group",
    });
  });
});
