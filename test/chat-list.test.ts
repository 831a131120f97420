import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  findChat,
  listChats,
  numbers,
  participant,
  participants,
  sendPrivately,
  sendToGroup,
} from "./support/scenes.ts";

/* The list of chats and the message history by pages. */

const messenger = useMessenger();

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
      const chat = await findChat(device, groupId);
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
