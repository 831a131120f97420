import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";

/* Who hears of what, in which order, how often, and what can be read of it afterwards. */

const messenger = useMessenger({ RATE_LIMITS: "off" });

/** Someone with a number of connected devices. */
async function personWith(devices: number, firstName?: string) {
  const person = await messenger().person(firstName);
  const connected: Device[] = [];
  while (connected.length < devices) connected.push(await person.connect());
  // Every request that waits for its answer listens for the close too, and some tests have many of them.
  for (const { socket } of connected) socket.setMaxListeners(0);
  return { ...person, devices: connected, device: first(connected) };
}

function first<T>(list: readonly T[]): T {
  const [item] = list;
  if (item === undefined) throw new Error("nothing there");
  return item;
}

async function newGroup(device: Device, groupName = "the group", members: readonly TestUser[] = []) {
  const { params } = await device.request("newGroup", { groupName });
  const groupId = params.item.groupId ?? 0;
  for (const { id } of members) await device.request("addUserInGroup", { groupId, userId: id });
  return groupId;
}

/** What `work` brings to these devices beside answers: for each, the pushes in their order. */
async function pushesDuring(devices: readonly Device[], work: () => Promise<unknown>) {
  for (const device of devices) await device.settle();
  const before = devices.map((device) => device.pushes().length);
  await work();
  for (const device of devices) await device.settle();
  return devices.map((device, index) => device.pushes().slice(before[index]));
}

const summaryOf = ({ type, params }: { type: string; params: { message: string | null } }) => [type, params.message];

async function chatsOf(device: Device, page = { limit: 100, page: 1 }) {
  return (await device.request("listLastMessage", page)).params.data;
}

const chatOf = async (device: Device, chatId: number) =>
  (await chatsOf(device)).find((candidate) => candidate.chatId === chatId);

async function groupHistory(device: Device, groupId: number) {
  return (await device.request("getlatestMessageGroup", { groupId, limit: 100, page: 1 })).params.data;
}

/** Sends all of them without waiting, then waits for the answers as long as anything comes. */
async function sendAtOnce(device: Device, frames: readonly { type: string; params: object }[]) {
  const before = device.frames.length;
  for (const [requestId, frame] of frames.entries()) device.send({ ...frame, requestId });
  const answers = () => device.frames.slice(before).filter(({ requestId }) => typeof requestId === "number");
  while (answers().length < frames.length) {
    await once(device.socket, "message", { signal: AbortSignal.timeout(5000) });
  }
  return answers();
}

const deleteAccount = async ({ token }: TestUser) => {
  const { status } = await messenger().http("DELETE", "/users/me", { token, body: { password } });
  expect(status).toBe(204);
};

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("who hears of what", () => {
  test("a group message reaches every device of every member, and as an answer the one that sent it", async () => {
    const [ann, bob, cid] = [await personWith(2), await personWith(2), await personWith(2)];
    const stranger = await personWith(1);
    const groupId = await newGroup(ann.device, "six devices", [bob, cid]);
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

  test("a private message reaches every device of both, and as an answer the one that sent it", async () => {
    const [ann, bob, stranger] = [await personWith(2), await personWith(2), await personWith(1)];
    const all = [...ann.devices, ...bob.devices, stranger.device];
    const [own, second, ...rest] = await pushesDuring(all, async () => {
      const { params } = await ann.device.request("privateMessage", { receiverId: bob.id, content: "psst" });
      expect(params.item).toMatchObject({ seq: 1, version: 1, receiverId: bob.id, message: "psst" });
      expect(params.item).not.toHaveProperty("groupId");
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

  test("a message to oneself is kept, and reaches the own other devices once", async () => {
    const ann = await personWith(2);
    const [own, second] = await pushesDuring(ann.devices, async () => {
      for (const content of ["note", "and another"]) {
        await ann.device.request("privateMessage", { receiverId: ann.id, content });
      }
    });
    expect(own).toEqual([]);
    expect(second?.map(summaryOf)).toEqual([
      ["privateMessage", "note"],
      ["privateMessage", "and another"],
    ]);
    expect(await chatsOf(ann.device)).toEqual([
      expect.objectContaining({ senderId: ann.id, receiverId: ann.id, content: "and another", unread: 0, readSeq: 2 }),
    ]);
    const { params } = await ann.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 9, page: 1 });
    expect(params.data.map(({ content }) => content)).toEqual(["and another", "note"]);
  });

  test("a new group is told to the other devices of its maker, and to nobody else", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const [own, second, bobs] = await pushesDuring([...ann.devices, bob.device], async () => {
      const { params } = await ann.device.request("newGroup", { groupName: "mine" });
      expect(params.item).toMatchObject({ seq: 1, version: 1, groupName: "mine", notification: true });
      expect(params.item.groupId).toBe(params.item.chatId);
    });
    expect([own, bobs]).toEqual([[], []]);
    expect(second?.map(summaryOf)).toEqual([["newGroup", `${ann.firstName} created the group "mine"`]]);
    expect(second?.[0]?.params.item.event).toEqual({ kind: "groupCreated", byUserId: ann.id, groupName: "mine" });
  });

  test("someone who is added hears it on every device, as all members do", async () => {
    const [ann, bob, cid] = [await personWith(2), await personWith(2), await personWith(2)];
    const groupId = await newGroup(ann.device, "growing", [bob]);
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
    const heard = await pushesDuring(all, () => cid.device.request("messageInGroup", { groupId, content: "thanks" }));
    expect(heard.map((pushes) => pushes.length)).toEqual([1, 1, 1, 1, 0, 1]);
    expect((await groupHistory(cid.device, groupId)).map(({ seq }) => seq)).toEqual([4, 3, 2, 1]);
  });

  test("someone who leaves is told so on the other devices, and hears nothing from then on", async () => {
    const [ann, bob] = [await personWith(2), await personWith(2)];
    const groupId = await newGroup(ann.device, "shrinking", [bob]);
    const all = [...bob.devices, ...ann.devices];
    const [own, ...others] = await pushesDuring(all, () => bob.device.request("leaveGroup", { groupId }));
    expect(own).toEqual([]);
    for (const pushes of others) {
      expect(pushes.map(summaryOf)).toEqual([["leaveGroup", `${bob.firstName} left the group`]]);
      expect(pushes[0]?.params.item.event).toEqual({ kind: "memberLeft", byUserId: bob.id });
    }
    const heard = await pushesDuring(all, () => ann.device.request("messageInGroup", { groupId, content: "gone?" }));
    expect(heard.map((pushes) => pushes.length)).toEqual([0, 0, 0, 1]);
    expect(await chatOf(bob.device, groupId)).toBeUndefined();
    expect(await bob.device.requestError("messageInGroup", { groupId, content: "x" })).toMatchObject({
      code: "NOT_MEMBER",
    });
  });
});

describe("the order", () => {
  test("of a hundred frames sent at once is the order of their answers", async () => {
    const [ann, bob] = [await personWith(1), await personWith(1)];
    const groupId = await newGroup(ann.device);
    const frames = upTo(100).map((n) => {
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
    // A list that was asked for behind a message shows it.
    for (const [index, { type, params }] of answers.entries()) {
      if (type === "listLastMessage") expect(params.data[0].seq).toBe(answers[index - 1].params.item.seq);
    }
  });

  test("of a group in which four devices write at once is dense, and each device sees all of it once", async () => {
    const [ann, bob] = [await personWith(2), await personWith(2)];
    const groupId = await newGroup(ann.device, "busy", [bob]);
    const devices = [...ann.devices, ...bob.devices];
    const listener = await ann.connect();
    for (const device of [...devices, listener]) await device.settle();
    const before = [...devices, listener].map((device) => device.frames.length);
    const each = 50;
    await Promise.all(
      devices.map((device, index) =>
        sendAtOnce(
          device,
          upTo(each).map((n) => ({ type: "messageInGroup", params: { groupId, content: `device ${index}: ${n}` } })),
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
      expect(log.map(({ item }) => item.version)).toEqual(upTo(last).map((n) => n + 2));
      expect(log.map(({ item }) => item.seq)).toEqual(upTo(last).map((n) => n + 2));
      expect(log.map(({ item }) => item.message)).toEqual(textsInOrder);
      const answers = log.filter(({ isBroadcast }) => !isBroadcast).map(({ item }) => item.message);
      expect(answers).toEqual(index < devices.length ? upTo(each).map((n) => `device ${index}: ${n}`) : []);
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

  test("of a dialog in which both write at once is the same for both", async () => {
    const [ann, bob] = [await personWith(2), await personWith(2)];
    const devices = [...ann.devices, ...bob.devices];
    await Promise.all(
      devices.map((device, index) => {
        const receiverId = index < 2 ? bob.id : ann.id;
        return sendAtOnce(
          device,
          upTo(15).map((n) => ({ type: "privateMessage", params: { receiverId, content: `${index}: ${n}` } })),
        );
      }),
    );
    for (const device of devices) await device.settle();
    const logs = devices.map((device) => device.frames.slice(0, -1).map(({ params: { item } }) => item));
    for (const log of logs) expect(log.map(({ version }) => version)).toEqual(upTo(60));
    const texts = logs.map((log) => log.map(({ message }) => message));
    for (const log of texts) expect(log).toEqual(texts[0]);
  });
});

describe("an owner", () => {
  const noMore = { code: "NOT_MEMBER", message: "User is not a member of this group" };

  /** Whether someone owns the group, asked of the group without changing it. */
  const owns = async (device: Device, groupId: number) =>
    (await device.requestError("transferOwnership", { groupId, userId: 2 ** 53 - 1 })).code === "NOT_FOUND";

  test("who leaves hands over to the member who is there longest, and those who stay hear both", async () => {
    const [ann, bob, cid] = [await personWith(2), await personWith(2), await personWith(2)];
    const groupId = await newGroup(ann.device, "orphaned", [bob, cid]);
    const all = [...bob.devices, ...cid.devices];
    const heard = await pushesDuring(all, () => ann.device.request("leaveGroup", { groupId }));
    for (const pushes of heard) {
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

  test("who leaves hears of the leave on the other devices, and nothing of what comes after", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groupId = await newGroup(ann.device, "behind my back", [bob]);
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect(own).toEqual([]);
    expect(second?.map(({ type }) => type)).toEqual(["leaveGroup"]);
  });

  test("who leaves hands over to an admin before a member who is there longer", async () => {
    const [ann, bob, cid] = [await personWith(1), await personWith(1), await personWith(1)];
    const groupId = await newGroup(ann.device, "with an admin", [bob, cid]);
    // Ann leaves and comes back, so that Bob is there longest; then Cid owns, hands over to her, and stays as admin.
    await ann.device.request("transferOwnership", { groupId, userId: cid.id });
    await ann.device.request("leaveGroup", { groupId });
    await cid.device.request("addUserInGroup", { groupId, userId: ann.id });
    await cid.device.request("transferOwnership", { groupId, userId: ann.id });
    const [heard] = await pushesDuring([bob.device], () => ann.device.request("leaveGroup", { groupId }));
    expect(heard?.map(({ params }) => params.item.event)).toEqual([
      { kind: "memberLeft", byUserId: ann.id },
      { kind: "ownershipTransferred", byUserId: ann.id, userId: cid.id },
    ]);
    expect([await owns(bob.device, groupId), await owns(cid.device, groupId)]).toEqual([false, true]);
  });

  test("who is the last one out ends the group", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groupId = await newGroup(ann.device, "ending", [bob]);
    await bob.device.request("leaveGroup", { groupId });
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect([own, second?.map(({ type }) => type)]).toEqual([[], ["leaveGroup"]]);
    for (const { device } of [ann, bob]) {
      expect(await device.requestError("messageInGroup", { groupId, content: "anyone?" })).toMatchObject(noMore);
      expect(await device.requestError("addUserInGroup", { groupId, userId: bob.id })).toMatchObject(noMore);
      expect(await device.requestError("getlatestMessageGroup", { groupId, limit: 1, page: 1 })).toMatchObject(noMore);
      expect(await device.requestError("leaveGroup", { groupId })).toMatchObject(noMore);
      expect(await chatOf(device, groupId)).toBeUndefined();
    }
  });

  test("hands over once: the new owner may, the old one no longer, a member never could", async () => {
    const [ann, bob, cid] = [await personWith(2), await personWith(1), await personWith(1)];
    const stranger = await personWith(1);
    const groupId = await newGroup(ann.device, "handed over", [bob, cid]);
    const forbidden = { code: "FORBIDDEN" };
    const transfer = (by: { device: Device }, to: { id: number }) =>
      by.device.requestError("transferOwnership", { groupId, userId: to.id });

    expect(await transfer(bob, cid)).toMatchObject(forbidden);
    expect(await transfer(bob, bob)).toMatchObject(forbidden);
    expect(await transfer(stranger, bob)).toMatchObject(noMore);
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

  test("who leaves while another one does, leaves one owner behind", async () => {
    for (let round = 0; round < 5; round++) {
      const people = [await personWith(1), await personWith(1), await personWith(1)] as const;
      const groupId = await newGroup(people[0].device, "run", people.slice(1));
      await Promise.all(people.slice(0, 2).map(({ device }) => device.request("leaveGroup", { groupId })));
      expect(await owns(people[2].device, groupId)).toBe(true);
      const history = await groupHistory(people[2].device, groupId);
      expect(history.map(({ seq }) => seq).reverse()).toEqual(upTo(history.length));
    }
  });
});

describe("a message that is sent again under its clientMessageId", () => {
  test("is answered with what was stored, and nobody hears it twice", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groupId = await newGroup(ann.device, "once", [bob]);
    const wishes = [
      () => ann.device.request("messageInGroup", { groupId, content: "once", clientMessageId: "group-message-1" }),
      () =>
        ann.device.request("privateMessage", {
          receiverId: bob.id,
          content: "once",
          clientMessageId: "dialog-message-1",
        }),
      () => ann.device.request("newGroup", { groupName: "once", clientMessageId: "new-group-1" }),
    ];
    for (const send of wishes) {
      const original = (await send()).params.item;
      expect(original).not.toHaveProperty("duplicate");
      const chats = await chatsOf(bob.device);
      const heard = await pushesDuring([...ann.devices, bob.device], async () => {
        for (let again = 0; again < 3; again++) {
          expect((await send()).params.item).toEqual({ ...original, duplicate: true });
        }
      });
      expect(heard).toEqual([[], [], []]);
      expect(await chatsOf(bob.device)).toEqual(chats);
    }
    const groups = (await chatsOf(ann.device)).filter(({ groupName }) => groupName === "once");
    expect(groups).toHaveLength(2);
  });

  test("from another device of the sender is the same message; from another person it is another", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groupId = await newGroup(ann.device, "whose", [bob]);
    const send = async (device: Device) =>
      (await device.request("messageInGroup", { groupId, content: "hi", clientMessageId: "the-same-id" })).params.item;
    const [original, again, others] = [
      await send(ann.device),
      await send(ann.devices[1] ?? ann.device),
      await send(bob.device),
    ];
    expect(again).toEqual({ ...original, duplicate: true });
    expect(others).toMatchObject({ senderId: bob.id, seq: original.seq + 1 });
    expect(others).not.toHaveProperty("duplicate");
  });

  test("after a commit that nobody was told of, tells everybody else of it", async () => {
    const [ann, bob] = [await personWith(1), await personWith(1)];
    const before = await ann.device.request("privateMessage", { receiverId: bob.id, content: "before" });
    const chatId = before.params.item.chatId ?? 0;
    await bob.device.nextPush();
    // As a statement that the network brings long after it was given up.
    await messenger().sql(
      `SELECT send_messages(ARRAY[$chatId]::bigint[], ARRAY[$senderId]::bigint[], ARRAY[$receiverId]::bigint[],
                            ARRAY['sent-and-given-up'], ARRAY[NULL]::bigint[], ARRAY['late'])`,
      { chatId, senderId: ann.id, receiverId: bob.id },
    );
    const again = { receiverId: bob.id, content: "late", clientMessageId: "sent-and-given-up" };
    expect((await ann.device.request("privateMessage", again)).params.item).toMatchObject({ seq: 2, duplicate: true });
    expect(await bob.device.nextPush()).toMatchObject({ params: { message: "late", item: { seq: 2 } } });
  });

  test("with other content, in another chat or as something else is a conflict, and is not stored", async () => {
    const [ann, bob, cid] = [await personWith(1), await personWith(1), await personWith(1)];
    const [groupId, otherId] = [await newGroup(ann.device, "one", [bob]), await newGroup(ann.device, "two", [bob])];
    const taken = "taken-once";
    await ann.device.request("messageInGroup", { groupId, content: "first", clientMessageId: taken });
    await ann.device.request("newGroup", { groupName: "three", clientMessageId: "group-three" });
    await ann.device.request("privateMessage", { receiverId: bob.id, content: "x", clientMessageId: "dialog-one" });
    await ann.device.request("privateMessage", { receiverId: cid.id, content: "y" });
    const before = await chatsOf(ann.device);
    const others: [type: string, params: object][] = [
      ["messageInGroup", { groupId, content: "second", clientMessageId: taken }],
      ["messageInGroup", { groupId: otherId, content: "first", clientMessageId: taken }],
      ["privateMessage", { receiverId: bob.id, content: "first", clientMessageId: taken }],
      ["newGroup", { groupName: "first", clientMessageId: taken }],
      ["newGroup", { groupName: "four", clientMessageId: "group-three" }],
      ["messageInGroup", { groupId, content: "three", clientMessageId: "group-three" }],
      ["privateMessage", { receiverId: cid.id, content: "x", clientMessageId: "dialog-one" }],
    ];
    for (const [type, params] of others) {
      expect(await ann.device.requestError(type, params)).toMatchObject({
        code: "CONFLICT",
        message: "This clientMessageId was used for another message",
      });
    }
    expect(await chatsOf(ann.device)).toEqual(before);
  });

  test("twenty times at once from two devices is one row and one push", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groupId = await newGroup(ann.device, "storm", [bob]);
    const wishes = {
      messageInGroup: { groupId, content: "storm", clientMessageId: "storm-in-the-group" },
      privateMessage: { receiverId: bob.id, content: "storm", clientMessageId: "storm-in-the-dialog" },
      newGroup: { groupName: "storm", clientMessageId: "storm-of-groups" },
    };
    for (const [type, params] of Object.entries(wishes)) {
      const [own, second, bobs] = await pushesDuring([...ann.devices, bob.device], async () => {
        const answers = await Promise.all(upTo(20).map((n) => ann.devices[n % 2]?.exchange({ type, params })));
        const items = answers.map((answer) => answer.params.item);
        expect(new Set(items.map(({ messageId, chatId, seq }) => `${messageId} ${chatId} ${seq}`)).size).toBe(1);
        expect(items.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      });
      expect([...(own ?? []), ...(second ?? [])]).toHaveLength(1);
      expect(bobs).toHaveLength(type === "newGroup" ? 0 : 1);
    }
    const stormy = (await chatsOf(ann.device)).filter(({ groupName }) => groupName === "storm");
    expect(stormy.map(({ chatVersion }) => chatVersion).sort()).toEqual([1, 3]);
    expect(await groupHistory(bob.device, groupId)).toHaveLength(3);
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(dialog.params.data).toHaveLength(1);
  });

  test("at once with other content or in another chat is stored once, and the others are conflicts", async () => {
    const [ann, bob] = [await personWith(2), await personWith(1)];
    const groups = [await newGroup(ann.device, "left"), await newGroup(ann.device, "right")];
    for (let round = 0; round < 5; round++) {
      const clientMessageId = `contested-${round}`;
      const answers = await Promise.all([
        ...groups.map((groupId, index) =>
          ann.devices[index]?.exchange({ type: "messageInGroup", params: { groupId, content: "x", clientMessageId } }),
        ),
        ann.device.exchange({ type: "privateMessage", params: { receiverId: bob.id, content: "x", clientMessageId } }),
      ]);
      const outcomes = answers.map((answer) => answer.code ?? "stored").sort();
      expect(outcomes).toEqual(["CONFLICT", "CONFLICT", "stored"]);
    }
  });
});

describe("the first messages of two people to each other", () => {
  test("at the same moment open one dialog", async () => {
    for (let round = 0; round < 5; round++) {
      const [ann, bob] = [await personWith(1), await personWith(1)];
      const answers = await Promise.all([
        ann.device.request("privateMessage", { receiverId: bob.id, content: "from Ann" }),
        bob.device.request("privateMessage", { receiverId: ann.id, content: "from Bob" }),
        ann.device.request("privateMessage", { receiverId: bob.id, content: "from Ann again" }),
      ]);
      expect(new Set(answers.map(({ params }) => params.item.chatId)).size).toBe(1);
      expect(answers.map(({ params }) => params.item.seq).sort()).toEqual([1, 2, 3]);
      for (const { device } of [ann, bob]) expect(await chatsOf(device)).toHaveLength(1);
    }
  });
});

describe("an account that is deleted", () => {
  test("leaves its words under another name, and its own name nowhere", async () => {
    const [gone, ann, bob] = [await personWith(2, "Vanishing"), await personWith(2), await personWith(1)];
    const groupId = await newGroup(gone.device, "half empty", [ann, bob]);
    await gone.device.request("messageInGroup", { groupId, content: "remember me" });
    await gone.device.request("privateMessage", { receiverId: ann.id, content: "in private" });
    await ann.device.request("privateMessage", { receiverId: gone.id, content: "answer" });
    const othersGroup = await newGroup(ann.device, "of others", [bob]);
    await ann.device.request("addUserInGroup", { groupId: othersGroup, userId: gone.id });

    const pushes = await pushesDuring([...ann.devices, bob.device], () => deleteAccount(gone));
    for (const heard of pushes) {
      expect(heard.map(summaryOf)).toEqual([
        ["leaveGroup", "Deleted user left the group"],
        ["transferOwnership", `Deleted user handed the group over to ${ann.firstName}`],
        ["leaveGroup", "Deleted user left the group"],
      ]);
      expect(heard.map(({ params }) => params.item.chatId)).toEqual([groupId, groupId, othersGroup]);
      for (const { params } of heard)
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
      const everything = JSON.stringify([await chatsOf(device), history, othersHistory]);
      expect(everything).not.toContain("Vanishing");
    }

    const list = await chatsOf(ann.device);
    expect(list.find(({ receiverId }) => receiverId === gone.id)).toMatchObject({ receiverName: "Deleted user" });
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: gone.id, limit: 9, page: 1 });
    expect(dialog.params.data.map(({ content, receverName }) => [content, receverName])).toEqual([
      ["answer", "Deleted user"],
      ["in private", ann.firstName],
    ]);
    expect(await ann.device.requestError("privateMessage", { receiverId: gone.id, content: "?" })).toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await ann.device.requestError("addUserInGroup", { groupId, userId: gone.id })).toMatchObject({
      code: "NOT_FOUND",
    });
    // Ann inherited the group.
    await ann.device.request("transferOwnership", { groupId, userId: bob.id });
  });

  test("ends a group that nobody else was in", async () => {
    const [gone, ann] = [await personWith(1), await personWith(1)];
    const groupId = await newGroup(gone.device, "alone");
    await deleteAccount(gone);
    expect(await ann.device.requestError("leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
    const groupOfTwo = await newGroup(ann.device, "alive");
    expect(await ann.device.requestError("addUserInGroup", { groupId: groupOfTwo, userId: gone.id })).toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe("the list of chats", () => {
  test("counts as unread what others wrote since one's own last word", async () => {
    const [ann, bob] = [await personWith(1), await personWith(1)];
    const counters = async (device: Device) => {
      const [chat] = await chatsOf(device);
      return [chat?.seq, chat?.readSeq, chat?.unread];
    };
    const say = (from: typeof ann, to: typeof ann) =>
      from.device.request("privateMessage", { receiverId: to.id, content: "word" });

    await say(ann, bob);
    await say(ann, bob);
    expect([await counters(ann.device), await counters(bob.device)]).toEqual([
      [2, 2, 0],
      [2, 0, 2],
    ]);
    await say(bob, ann);
    expect([await counters(ann.device), await counters(bob.device)]).toEqual([
      [3, 2, 1],
      [3, 3, 0],
    ]);
    await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 9, page: 1 });
    await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(await counters(ann.device)).toEqual([3, 2, 1]);
  });

  test("begins for someone who is added with nothing unread", async () => {
    const [ann, bob, cid] = [await personWith(1), await personWith(1), await personWith(1)];
    const groupId = await newGroup(ann.device, "counted", [bob]);
    const counters = async ({ device }: { device: Device }) => {
      const chat = await chatOf(device, groupId);
      return [chat?.seq, chat?.readSeq, chat?.unread];
    };
    await ann.device.request("messageInGroup", { groupId, content: "three" });
    await bob.device.request("addUserInGroup", { groupId, userId: cid.id });
    expect(await Promise.all([ann, bob, cid].map(counters))).toEqual([
      [4, 3, 1],
      [4, 4, 0],
      [4, 4, 0],
    ]);
    await ann.device.request("messageInGroup", { groupId, content: "five" });
    expect(await Promise.all([ann, bob, cid].map(counters))).toEqual([
      [5, 5, 0],
      [5, 4, 1],
      [5, 4, 1],
    ]);
    await cid.device.request("leaveGroup", { groupId });
    await bob.device.request("addUserInGroup", { groupId, userId: cid.id });
    expect(await counters(cid)).toEqual([7, 7, 0]);
  });

  test("shows the chat with the newest message first, each with that message, page by page", async () => {
    const ann = await personWith(1);
    const people = [await personWith(1), await personWith(1), await personWith(1)];
    const groups = [await newGroup(ann.device, "g0", people), await newGroup(ann.device, "g1", people)];
    for (const { id } of people) await ann.device.request("privateMessage", { receiverId: id, content: `to ${id}` });
    await people[0]?.device.request("privateMessage", { receiverId: ann.id, content: "back" });
    await people[1]?.device.request("messageInGroup", { groupId: groups[0] ?? 0, content: "in g0" });

    const all = await chatsOf(ann.device);
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
        pages.push(...(await chatsOf(ann.device, { limit, page })));
      }
      expect(pages).toEqual(all);
    }
  });
});

describe("the history", () => {
  test("read seven at a time shows every message exactly once, newest first", async () => {
    const [ann, bob] = [await personWith(1), await personWith(1)];
    const groupId = await newGroup(ann.device, "long", [bob]);
    for (const n of upTo(38)) {
      await ann.device.request("messageInGroup", { groupId, content: `message ${n}` });
      await (n % 2 ? ann : bob).device.request("privateMessage", {
        receiverId: (n % 2 ? bob : ann).id,
        content: `${n}`,
      });
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
    expect(group.map(({ seq }) => seq)).toEqual(upTo(40).reverse());
    expect(group.slice(0, -2).map(({ content }) => content)).toEqual(
      upTo(38)
        .map((n) => `message ${n}`)
        .reverse(),
    );
    expect(dialog.map(({ seq }) => seq)).toEqual(upTo(38).reverse());
    expect(dialog.map(({ content }) => content)).toEqual(upTo(38).map(String).reverse());
  });

  test("of two people who never wrote to each other is empty", async () => {
    const [ann, bob] = [await personWith(1), await personWith(1)];
    const { params } = await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(params.data).toEqual([]);
    expect(await chatsOf(bob.device)).toEqual([]);
  });
});
