import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  deleteAccount,
  groupHistory,
  listChats,
  numbers,
  participant,
  participants,
  pushesDuring,
  sendPrivately,
  sendToGroup,
} from "./support/scenes.ts";

/* Delivery of messages: recipients, order, exactly-once sends, and the history that is read afterwards. */

const messenger = useMessenger({ RATE_LIMITS: "off" });

const summaryOf = ({ type, params }: { type: string; params: { message: string | null } }) => [type, params.message];

const chatOf = async (device: Device, chatId: number) =>
  (await listChats(device)).find((candidate) => candidate.chatId === chatId);

/** Sends all frames without waiting, then returns their answers. */
async function sendAtOnce(device: Device, frames: readonly { type: string; params: object }[]) {
  const before = device.frames.length;
  for (const [requestId, frame] of frames.entries()) device.send({ ...frame, requestId });
  const answers = () => device.frames.slice(before).filter(({ requestId }) => typeof requestId === "number");
  while (answers().length < frames.length) {
    await once(device.socket, "message", { signal: AbortSignal.timeout(5000) });
  }
  return answers();
}

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
    expect(second?.map(summaryOf)).toEqual([
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
    expect(second?.map(summaryOf)).toEqual([["newGroup", `${ann.firstName} created the group "mine"`]]);
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
      expect(pushes.map(summaryOf)).toEqual([
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
      expect(pushes.map(summaryOf)).toEqual([["leaveGroup", `${bob.firstName} left the group`]]);
      expect(pushes[0]?.params.item.event).toEqual({ kind: "memberLeft", byUserId: bob.id });
    }
    const received = await pushesDuring(all, () => sendToGroup(ann.device, groupId, "gone?"));
    expect(received.map((pushes) => pushes.length)).toEqual([0, 0, 0, 1]);
    expect(await chatOf(bob.device, groupId)).toBeUndefined();
    expect(await bob.device.refused("messageInGroup", { groupId, content: "x" })).toMatchObject({ code: "NOT_MEMBER" });
  });
});

describe("order", () => {
  test("a hundred frames sent at once are answered in order", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(ann.device);
    const frames = numbers(1, 100).map((n) => {
      if (n % 4 === 0) return { type: "listLastMessage", params: { limit: 1, page: 1 } };
      if (n % 4 === 1) return { type: "messageInGroup", params: { groupId, content: "group" } };
      if (n % 4 === 2) return { type: "leaveGroup", params: { groupId: 999_999 } };
      return { type: "privateMessage", params: { receiverId: bob.id, content: "private" } };
    });
    const before = ann.device.frames.length;
    const answers = await sendAtOnce(ann.device, frames);
    await ann.device.settle();
    expect(ann.device.frames.slice(before, -1)).toEqual(answers);
    expect(answers.map(({ requestId, type }) => ({ requestId, type }))).toEqual(
      frames.map(({ type }, requestId) => ({ requestId, type })),
    );
    // A list requested after a message includes it.
    for (const [index, { type, params }] of answers.entries()) {
      if (type === "listLastMessage") expect(params.data[0].seq).toBe(answers[index - 1].params.item.seq);
    }
  });

  test("four devices writing to a group at once get dense numbers, and each device sees every message once", async () => {
    const [ann, bob] = await participants(messenger(), 2, 2);
    const groupId = await createGroup(ann.device, [bob], "busy");
    const devices = [...ann.devices, ...bob.devices];
    const listener = await ann.connect();
    for (const device of [...devices, listener]) await device.settle();
    const before = [...devices, listener].map((device) => device.frames.length);
    const each = 50;
    await Promise.all(
      devices.map((device, index) =>
        sendAtOnce(
          device,
          numbers(1, each).map((n) => ({
            type: "messageInGroup",
            params: { groupId, content: `device ${index}: ${n}` },
          })),
        ),
      ),
    );
    for (const device of [...devices, listener]) await device.settle();

    const last = devices.length * each;
    const logs = [...devices, listener].map((device, index) =>
      device.frames.slice(before[index], -1).map(({ params }) => params),
    );
    const textsInOrder = logs[0]?.map(({ item }) => item.message);
    for (const [index, log] of logs.entries()) {
      expect(log.map(({ item }) => item.version)).toEqual(numbers(3, last + 2));
      expect(log.map(({ item }) => item.seq)).toEqual(numbers(3, last + 2));
      expect(log.map(({ item }) => item.message)).toEqual(textsInOrder);
      const answers = log.filter(({ isBroadcast }) => !isBroadcast).map(({ item }) => item.message);
      expect(answers).toEqual(index < devices.length ? numbers(1, each).map((n) => `device ${index}: ${n}`) : []);
    }
    const pages = [];
    for (const page of [1, 2, 3]) {
      const answer = await ann.device.request("getlatestMessageGroup", { groupId, limit: 100, page });
      pages.push(...answer.params.data);
    }
    expect(pages.reverse().map(({ content }) => content)).toEqual([
      expect.stringContaining("created the group"),
      expect.stringContaining("added"),
      ...(textsInOrder ?? []),
    ]);
  });

  test("both sides of a dialog that write at once see the same order", async () => {
    const [ann, bob] = await participants(messenger(), 2, 2);
    const devices = [...ann.devices, ...bob.devices];
    await Promise.all(
      devices.map((device, index) => {
        const receiverId = index < 2 ? bob.id : ann.id;
        return sendAtOnce(
          device,
          numbers(1, 15).map((n) => ({ type: "privateMessage", params: { receiverId, content: `${index}: ${n}` } })),
        );
      }),
    );
    for (const device of devices) await device.settle();
    const logs = devices.map((device) => device.frames.slice(0, -1).map(({ params: { item } }) => item));
    for (const log of logs) expect(log.map(({ version }) => version)).toEqual(numbers(1, 60));
    const texts = logs.map((log) => log.map(({ message }) => message));
    for (const log of texts) expect(log).toEqual(texts[0]);
  });
});

describe("ownership of a group", () => {
  const notMember = { code: "NOT_MEMBER", message: "User is not a member of this group" };

  /** Whether the user owns the group, determined without changing it. */
  const owns = async (device: Device, groupId: number) =>
    (await device.refused("transferOwnership", { groupId, userId: 2 ** 53 - 1 })).code === "NOT_FOUND";

  test("when the owner leaves, the oldest member becomes owner and the remaining members are notified of both changes", async () => {
    const [ann, bob, cid] = await participants(messenger(), 2, 2, 2);
    const groupId = await createGroup(ann.device, [bob, cid], "orphaned");
    const all = [...bob.devices, ...cid.devices];
    const received = await pushesDuring(all, () => ann.device.request("leaveGroup", { groupId }));
    for (const pushes of received) {
      expect(pushes.map(summaryOf)).toEqual([
        ["leaveGroup", `${ann.firstName} left the group`],
        ["transferOwnership", `${ann.firstName} handed the group over to ${bob.firstName}`],
      ]);
      expect(pushes.map(({ params }) => params.item.version)).toEqual([4, 5]);
      expect(pushes[1]?.params.item.event).toEqual({
        kind: "ownershipTransferred",
        byUserId: ann.id,
        userId: bob.id,
      });
    }
    expect([await owns(bob.device, groupId), await owns(cid.device, groupId)]).toEqual([true, false]);
  });

  test("an owner who leaves receives the leave on other devices and nothing afterwards", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "behind my back");
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect(own).toEqual([]);
    expect(second?.map(({ type }) => type)).toEqual(["leaveGroup"]);
  });

  test("when the owner leaves, an admin becomes owner before an older member", async () => {
    const [ann, bob, cid] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(ann.device, [bob, cid], "with an admin");
    // Ann leaves and is added again, so that Bob is the oldest member; then Cid becomes owner, transfers to Ann and stays admin.
    await ann.device.request("transferOwnership", { groupId, userId: cid.id });
    await ann.device.request("leaveGroup", { groupId });
    await cid.device.request("addUserInGroup", { groupId, userId: ann.id });
    await cid.device.request("transferOwnership", { groupId, userId: ann.id });
    const [received] = await pushesDuring([bob.device], () => ann.device.request("leaveGroup", { groupId }));
    expect(received?.map(({ params }) => params.item.event)).toEqual([
      { kind: "memberLeft", byUserId: ann.id },
      { kind: "ownershipTransferred", byUserId: ann.id, userId: cid.id },
    ]);
    expect([await owns(bob.device, groupId), await owns(cid.device, groupId)]).toEqual([false, true]);
  });

  test("the group ends when its last member leaves", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "ending");
    await bob.device.request("leaveGroup", { groupId });
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect([own, second?.map(({ type }) => type)]).toEqual([[], ["leaveGroup"]]);
    for (const { device } of [ann, bob]) {
      expect(await device.refused("messageInGroup", { groupId, content: "anyone?" })).toMatchObject(notMember);
      expect(await device.refused("addUserInGroup", { groupId, userId: bob.id })).toMatchObject(notMember);
      expect(await device.refused("getlatestMessageGroup", { groupId, limit: 1, page: 1 })).toMatchObject(notMember);
      expect(await device.refused("leaveGroup", { groupId })).toMatchObject(notMember);
      expect(await chatOf(device, groupId)).toBeUndefined();
    }
  });

  test("after a transfer only the new owner can transfer ownership again", async () => {
    const [ann, bob, cid, stranger] = await participants(messenger(), 2, 1, 1, 1);
    const groupId = await createGroup(ann.device, [bob, cid], "handed over");
    const forbidden = { code: "FORBIDDEN" };
    const transfer = (by: { device: Device }, to: { id: number }) =>
      by.device.refused("transferOwnership", { groupId, userId: to.id });

    expect(await transfer(bob, cid)).toMatchObject(forbidden);
    expect(await transfer(bob, bob)).toMatchObject(forbidden);
    expect(await transfer(stranger, bob)).toMatchObject(notMember);
    expect(await transfer(ann, stranger)).toMatchObject({ code: "NOT_FOUND" });
    expect(await transfer(ann, { id: 2 ** 53 - 1 })).toMatchObject({ code: "NOT_FOUND" });
    expect(await transfer(ann, ann)).toMatchObject({ code: "CONFLICT" });
    expect(await chatOf(ann.device, groupId)).toMatchObject({ chatVersion: 3 });

    const all = [...ann.devices, bob.device, cid.device];
    const [own, ...others] = await pushesDuring(all, () =>
      ann.device.request("transferOwnership", { groupId, userId: bob.id }),
    );
    expect(own).toEqual([]);
    for (const pushes of others) {
      expect(pushes.map(summaryOf)).toEqual([
        ["transferOwnership", `${ann.firstName} handed the group over to ${bob.firstName}`],
      ]);
    }
    expect(await transfer(ann, cid)).toMatchObject(forbidden);
    await bob.device.request("transferOwnership", { groupId, userId: cid.id });
  });

  test("two members leaving at once, one of them the owner, leave exactly one owner", async () => {
    for (let round = 0; round < 5; round++) {
      const people = await participants(messenger(), 1, 1, 1);
      const groupId = await createGroup(people[0].device, people.slice(1), "run");
      await Promise.all(people.slice(0, 2).map(({ device }) => device.request("leaveGroup", { groupId })));
      expect(await owns(people[2].device, groupId)).toBe(true);
      const history = await groupHistory(people[2].device, groupId);
      expect(history.map(({ seq }) => seq).reverse()).toEqual(numbers(1, history.length));
    }
  });
});

describe("a send repeated with the same clientMessageId", () => {
  test("is answered with the stored message and pushed only once", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "once");
    const sends = [
      () => ann.device.request("messageInGroup", { groupId, content: "once", clientMessageId: "group-message-1" }),
      () =>
        ann.device.request("privateMessage", {
          receiverId: bob.id,
          content: "once",
          clientMessageId: "dialog-message-1",
        }),
      () => ann.device.request("newGroup", { groupName: "once", clientMessageId: "new-group-1" }),
    ];
    for (const send of sends) {
      const original = (await send()).params.item;
      expect(original).not.toHaveProperty("duplicate");
      const chats = await listChats(bob.device);
      const received = await pushesDuring([...ann.devices, bob.device], async () => {
        for (let again = 0; again < 3; again++) {
          expect((await send()).params.item).toEqual({ ...original, duplicate: true });
        }
      });
      expect(received).toEqual([[], [], []]);
      expect(await listChats(bob.device)).toEqual(chats);
    }
    const groups = (await listChats(ann.device)).filter(({ groupName }) => groupName === "once");
    expect(groups).toHaveLength(2);
  });

  test("from another device of the sender is the same message; from another person it is a new one", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "whose");
    const send = (device: Device) => sendToGroup(device, groupId, "hi", { clientMessageId: "the-same-id" });
    const [original, again, others] = [await send(ann.device), await send(ann.otherDevice), await send(bob.device)];
    expect(again).toEqual({ ...original, duplicate: true });
    expect(others).toMatchObject({ senderId: bob.id, seq: original.seq + 1 });
    expect(others).not.toHaveProperty("duplicate");
  });

  test("publishes the message if its commit had never been published", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const { chatId } = await sendPrivately(ann.device, bob.id, "before");
    await bob.device.nextPush();
    // Like a statement that reaches the database long after the server stopped waiting for it.
    await messenger().sql(
      `SELECT send_messages(ARRAY[$chatId]::bigint[], ARRAY[$senderId]::bigint[], ARRAY[$receiverId]::bigint[],
                            ARRAY['committed-late'], ARRAY[NULL]::bigint[], ARRAY['late'])`,
      { chatId, senderId: ann.id, receiverId: bob.id },
    );
    const again = { receiverId: bob.id, content: "late", clientMessageId: "committed-late" };
    expect((await ann.device.request("privateMessage", again)).params.item).toMatchObject({ seq: 2, duplicate: true });
    expect(await bob.device.nextPush()).toMatchObject({ params: { message: "late", item: { seq: 2 } } });
  });

  test("with other content, in another chat or as another type is a conflict and stores nothing", async () => {
    const [ann, bob, cid] = await participants(messenger(), 1, 1, 1);
    const [groupId, otherId] = [
      await createGroup(ann.device, [bob], "one"),
      await createGroup(ann.device, [bob], "two"),
    ];
    const clientMessageId = "group-message";
    await sendToGroup(ann.device, groupId, "first", { clientMessageId });
    await ann.device.request("newGroup", { groupName: "three", clientMessageId: "group-three" });
    await sendPrivately(ann.device, bob.id, "x", { clientMessageId: "dialog-one" });
    await sendPrivately(ann.device, cid.id, "y");
    const before = await listChats(ann.device);
    const others: [type: string, params: object][] = [
      ["messageInGroup", { groupId, content: "second", clientMessageId }],
      ["messageInGroup", { groupId: otherId, content: "first", clientMessageId }],
      ["privateMessage", { receiverId: bob.id, content: "first", clientMessageId }],
      ["newGroup", { groupName: "first", clientMessageId }],
      ["newGroup", { groupName: "four", clientMessageId: "group-three" }],
      ["messageInGroup", { groupId, content: "three", clientMessageId: "group-three" }],
      ["privateMessage", { receiverId: cid.id, content: "x", clientMessageId: "dialog-one" }],
    ];
    for (const [type, params] of others) {
      expect(await ann.device.refused(type, params)).toMatchObject({
        code: "CONFLICT",
        message: "This clientMessageId was used for another message",
      });
    }
    expect(await listChats(ann.device)).toEqual(before);
  });

  test("twenty times at once from two devices gives one row and one push", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "storm");
    const requests = {
      messageInGroup: { groupId, content: "storm", clientMessageId: "storm-in-the-group" },
      privateMessage: { receiverId: bob.id, content: "storm", clientMessageId: "storm-in-the-dialog" },
      newGroup: { groupName: "storm", clientMessageId: "storm-of-groups" },
    };
    for (const [type, params] of Object.entries(requests)) {
      const [own, second, bobs] = await pushesDuring([...ann.devices, bob.device], async () => {
        const answers = await Promise.all(numbers(1, 20).map((n) => ann.devices[n % 2]?.ask({ type, params })));
        const items = answers.map((answer) => answer.params.item);
        expect(new Set(items.map(({ messageId, chatId, seq }) => `${messageId} ${chatId} ${seq}`)).size).toBe(1);
        expect(items.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      });
      expect([...(own ?? []), ...(second ?? [])]).toHaveLength(1);
      expect(bobs).toHaveLength(type === "newGroup" ? 0 : 1);
    }
    const created = (await listChats(ann.device)).filter(({ groupName }) => groupName === "storm");
    expect(created.map(({ chatVersion }) => chatVersion).sort()).toEqual([1, 3]);
    expect(await groupHistory(bob.device, groupId)).toHaveLength(3);
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(dialog.params.data).toHaveLength(1);
  });

  test("at the same time with other content or in another chat is stored once; the others are conflicts", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groups = [await createGroup(ann.device, [], "left"), await createGroup(ann.device, [], "right")];
    for (let round = 0; round < 5; round++) {
      const clientMessageId = `contested-${round}`;
      const answers = await Promise.all([
        ...groups.map((groupId, index) =>
          ann.devices[index]?.ask({ type: "messageInGroup", params: { groupId, content: "x", clientMessageId } }),
        ),
        ann.device.ask({ type: "privateMessage", params: { receiverId: bob.id, content: "x", clientMessageId } }),
      ]);
      const outcomes = answers.map((answer) => answer.code ?? "stored").sort();
      expect(outcomes).toEqual(["CONFLICT", "CONFLICT", "stored"]);
    }
  });
});

describe("the first messages of two people", () => {
  test("sent at the same time open one dialog", async () => {
    for (let round = 0; round < 5; round++) {
      const [ann, bob] = await participants(messenger(), 1, 1);
      const items = await Promise.all([
        sendPrivately(ann.device, bob.id, "from Ann"),
        sendPrivately(bob.device, ann.id, "from Bob"),
        sendPrivately(ann.device, bob.id, "from Ann again"),
      ]);
      expect(new Set(items.map(({ chatId }) => chatId)).size).toBe(1);
      expect(items.map(({ seq }) => seq).sort()).toEqual([1, 2, 3]);
      for (const { device } of [ann, bob]) expect(await listChats(device)).toHaveLength(1);
    }
  });
});

describe("a deleted account", () => {
  test('keeps its messages under "Deleted user" and its name nowhere', async () => {
    const gone = await participant(messenger(), { firstName: "Vanishing", devices: 2 });
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(gone.device, [ann, bob], "half empty");
    await sendToGroup(gone.device, groupId, "remember me");
    await sendPrivately(gone.device, ann.id, "in private");
    await sendPrivately(ann.device, gone.id, "answer");
    const othersGroup = await createGroup(ann.device, [bob], "of others");
    await ann.device.request("addUserInGroup", { groupId: othersGroup, userId: gone.id });

    const pushes = await pushesDuring([...ann.devices, bob.device], () => deleteAccount(messenger(), gone));
    for (const received of pushes) {
      expect(received.map(summaryOf)).toEqual([
        ["leaveGroup", "Deleted user left the group"],
        ["transferOwnership", `Deleted user handed the group over to ${ann.firstName}`],
        ["leaveGroup", "Deleted user left the group"],
      ]);
      expect(received.map(({ params }) => params.item.chatId)).toEqual([groupId, groupId, othersGroup]);
      for (const { params } of received)
        expect(params).toMatchObject({ senderName: "Deleted user", item: { senderId: gone.id } });
    }
    for (const device of gone.devices) expect((await device.closed).code).toBe(4403);

    for (const { device } of [ann, bob]) {
      const history = await groupHistory(device, groupId);
      expect(history.map(({ senderName, content }) => [senderName, content]).reverse()).toEqual([
        ["Deleted user", 'Deleted user created the group "half empty"'],
        ["Deleted user", `Deleted user added ${ann.firstName} to the group`],
        ["Deleted user", `Deleted user added ${bob.firstName} to the group`],
        ["Deleted user", "remember me"],
        ["Deleted user", "Deleted user left the group"],
        ["Deleted user", `Deleted user handed the group over to ${ann.firstName}`],
      ]);
      const othersHistory = await groupHistory(device, othersGroup);
      expect(othersHistory.map(({ content }) => content)).toContain(`${ann.firstName} added Deleted user to the group`);
      const everything = JSON.stringify([await listChats(device), history, othersHistory]);
      expect(everything).not.toContain("Vanishing");
    }

    const list = await listChats(ann.device);
    expect(list.find(({ receiverId }) => receiverId === gone.id)).toMatchObject({ receiverName: "Deleted user" });
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: gone.id, limit: 9, page: 1 });
    expect(dialog.params.data.map(({ content, receverName }) => [content, receverName])).toEqual([
      ["answer", "Deleted user"],
      ["in private", ann.firstName],
    ]);
    expect(await ann.device.refused("privateMessage", { receiverId: gone.id, content: "?" })).toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await ann.device.refused("addUserInGroup", { groupId, userId: gone.id })).toMatchObject({
      code: "NOT_FOUND",
    });
    // Ann became the owner of the group.
    await ann.device.request("transferOwnership", { groupId, userId: bob.id });
  });

  test("ends the groups it was alone in", async () => {
    const [gone, ann] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(gone.device, [], "alone");
    await deleteAccount(messenger(), gone);
    expect(await ann.device.refused("leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
    const groupOfTwo = await createGroup(ann.device, [], "alive");
    expect(await ann.device.refused("addUserInGroup", { groupId: groupOfTwo, userId: gone.id })).toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe("the chat list", () => {
  test("counts messages of others since one's own last message as unread", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const counters = async (device: Device) => {
      const [chat] = await listChats(device);
      return [chat?.seq, chat?.readSeq, chat?.unread];
    };
    await sendPrivately(ann.device, bob.id, "one");
    await sendPrivately(ann.device, bob.id, "two");
    expect([await counters(ann.device), await counters(bob.device)]).toEqual([
      [2, 2, 0],
      [2, 0, 2],
    ]);
    await sendPrivately(bob.device, ann.id, "three");
    expect([await counters(ann.device), await counters(bob.device)]).toEqual([
      [3, 2, 1],
      [3, 3, 0],
    ]);
    await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 9, page: 1 });
    await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(await counters(ann.device)).toEqual([3, 2, 1]);
  });

  test("shows an added member the group with nothing unread", async () => {
    const [ann, bob, cid] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(ann.device, [bob], "counted");
    const counters = async ({ device }: { device: Device }) => {
      const chat = await chatOf(device, groupId);
      return [chat?.seq, chat?.readSeq, chat?.unread];
    };
    await sendToGroup(ann.device, groupId, "three");
    await bob.device.request("addUserInGroup", { groupId, userId: cid.id });
    expect(await Promise.all([ann, bob, cid].map(counters))).toEqual([
      [4, 3, 1],
      [4, 4, 0],
      [4, 4, 0],
    ]);
    await sendToGroup(ann.device, groupId, "five");
    expect(await Promise.all([ann, bob, cid].map(counters))).toEqual([
      [5, 5, 0],
      [5, 4, 1],
      [5, 4, 1],
    ]);
    await cid.device.request("leaveGroup", { groupId });
    await bob.device.request("addUserInGroup", { groupId, userId: cid.id });
    expect(await counters(cid)).toEqual([7, 7, 0]);
  });

  test("is ordered by the newest message, shows that message, and is paged", async () => {
    const ann = await participant(messenger());
    const people = await participants(messenger(), 1, 1, 1);
    const groups = [await createGroup(ann.device, people, "g0"), await createGroup(ann.device, people, "g1")] as const;
    for (const { id } of people) await sendPrivately(ann.device, id, `to ${id}`);
    await sendPrivately(people[0].device, ann.id, "back");
    await sendToGroup(people[1].device, groups[0], "in g0");

    const all = await listChats(ann.device);
    expect(all.map(({ content }) => content)).toEqual([
      "in g0",
      "back",
      `to ${people[2]?.id}`,
      `to ${people[1]?.id}`,
      `${ann.firstName} added ${people[2]?.firstName} to the group`,
    ]);
    expect(all[0]).toMatchObject({ groupId: groups[0], groupName: "g0", receiverId: null, receiverName: null });
    expect(all[1]).toMatchObject({ groupId: null, groupName: null, receiverId: ann.id, receiverName: ann.firstName });
    for (const limit of [1, 2, 3, 5]) {
      const pages = [];
      for (let page = 1; page <= Math.ceil(all.length / limit) + 1; page++) {
        pages.push(...(await listChats(ann.device, { limit, page })));
      }
      expect(pages).toEqual(all);
    }
  });
});

describe("the message history", () => {
  test("read in pages of seven shows every message exactly once, newest first", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(ann.device, [bob], "long");
    for (const n of numbers(1, 38)) {
      await sendToGroup(ann.device, groupId, `message ${n}`);
      const [sender, receiver] = n % 2 ? [ann, bob] : [bob, ann];
      await sendPrivately(sender.device, receiver.id, `${n}`);
    }
    const limit = 7;
    const group: { content: string; seq: number }[] = [];
    const dialog: typeof group = [];
    for (let page = 1; page <= 7; page++) {
      const ofGroup = await bob.device.request("getlatestMessageGroup", { groupId, limit, page });
      const ofDialog = await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit, page });
      expect(ofGroup.params.data).toHaveLength([7, 7, 7, 7, 7, 5, 0][page - 1] ?? -1);
      expect(ofDialog.params.data).toHaveLength([7, 7, 7, 7, 7, 3, 0][page - 1] ?? -1);
      group.push(...ofGroup.params.data);
      dialog.push(...ofDialog.params.data);
    }
    expect(group.map(({ seq }) => seq)).toEqual(numbers(1, 40).reverse());
    expect(group.slice(0, -2).map(({ content }) => content)).toEqual(
      numbers(1, 38)
        .map((n) => `message ${n}`)
        .reverse(),
    );
    expect(dialog.map(({ seq }) => seq)).toEqual(numbers(1, 38).reverse());
    expect(dialog.map(({ content }) => content)).toEqual(numbers(1, 38).map(String).reverse());
  });

  test("is empty for two people who never wrote to each other", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const { params } = await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(params.data).toEqual([]);
    expect(await listChats(bob.device)).toEqual([]);
  });
});
