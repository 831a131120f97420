import { describe, expect, test } from "@jest/globals";
import { changesAfter } from "../src/db/queries/chats/changes.ts";
import {
  clearPushes,
  type GroupRole,
  groupOfSix,
  notMember,
  pushesTo,
  roleOf,
  storedGroup,
} from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import { groupHistory, listChats, numbers, sendToGroup } from "./support/scenes.ts";

/* Changes of groups: who is notified, in what order, and what a removed member can still see. */

const messenger = useMessenger();

describe("a change of the group", () => {
  interface ChangeCase {
    what: string;
    type: string;
    actor: GroupRole;
    target?: GroupRole;
    more?: object;
    text: string;
    event: object;
  }
  const newName = { groupName: "another name" };
  const changeCases: ChangeCase[] = [
    {
      what: "a rename",
      type: "renameGroup",
      actor: "admin",
      more: newName,
      text: '(actor) renamed the group to "another name"',
      event: { kind: "groupRenamed", ...newName },
    },
    {
      what: "a removal",
      type: "removeUserFromGroup",
      actor: "admin",
      target: "member",
      text: "(actor) removed (target) from the group",
      event: { kind: "memberRemoved" },
    },
    {
      what: "a new admin",
      type: "setMemberRole",
      actor: "owner",
      target: "member",
      more: { role: "admin" },
      text: "(actor) made (target) an admin",
      event: { kind: "roleChanged", role: "admin" },
    },
    {
      what: "a revoked admin role",
      type: "setMemberRole",
      actor: "owner",
      target: "admin",
      more: { role: "member" },
      text: "(actor) made (target) a member",
      event: { kind: "roleChanged", role: "member" },
    },
    {
      what: "a new owner",
      type: "transferOwnership",
      actor: "owner",
      target: "member",
      text: "(actor) handed the group over to (target)",
      event: { kind: "ownershipTransferred" },
    },
    {
      what: "a deletion",
      type: "deleteGroup",
      actor: "owner",
      text: "(actor) deleted the group",
      event: { kind: "groupDeleted" },
    },
    {
      what: "a leave",
      type: "leaveGroup",
      actor: "member",
      text: "(actor) left the group",
      event: { kind: "memberLeft" },
    },
    {
      what: "an added member",
      type: "addUserInGroup",
      actor: "member",
      target: "stranger",
      text: "(actor) added (target) to the group",
      event: { kind: "memberAdded" },
    },
  ];

  test.each(changeCases.map((changeCase) => [changeCase.what, changeCase] as const))(
    "such as %s is pushed once to every device of the affected users but the requesting one, and to no other user",
    async (_what, { type, more, text, event, ...roles }) => {
      const { groupId, people, members } = await groupOfSix(messenger());
      const [actor, target] = [people[roles.actor], roles.target && people[roles.target]];
      const [{ version } = { version: 0 }] = await messenger().sql<{ version: number }>(
        "SELECT version FROM chats WHERE id = $groupId",
        { groupId },
      );
      const answer = await actor.device.exchange({
        type,
        params: { groupId, ...(target && { userId: target.id }), ...more },
      });
      const message = text.replace("(actor)", actor.firstName).replace("(target)", target?.firstName ?? "");
      expect(answer).toMatchObject({
        type,
        success: true,
        params: {
          data: null,
          message: null,
          senderName: null,
          isBroadcast: false,
          item: {
            chatId: groupId,
            groupId,
            groupName: type === "renameGroup" ? "another name" : "the group",
            seq: version + 1,
            version: version + 1,
            senderId: actor.id,
            senderName: actor.firstName,
            message,
            notification: true,
            editedAt: null,
            deletedAt: null,
          },
        },
      });
      expect(answer.params.item.event).toEqual({ ...event, byUserId: actor.id, ...(target && { userId: target.id }) });

      const push = {
        type,
        success: true,
        params: { data: null, message, senderName: actor.firstName, isBroadcast: true, item: answer.params.item },
      };
      const affected = new Set(target ? [...members, target] : members);
      for (const each of affected) {
        expect(await pushesTo(each.device)).toEqual(each === actor ? [] : [push]);
        expect(await pushesTo(each.otherDevice)).toEqual([push]);
      }
      if (!affected.has(people.stranger)) {
        for (const device of people.stranger.devices) expect(await pushesTo(device)).toEqual([]);
      }

      if (type !== "deleteGroup") {
        const [row] = await groupHistory(people.owner.device, groupId);
        expect(row).toMatchObject({
          id: answer.params.item.messageId,
          content: message,
          event: answer.params.item.event,
        });
        expect(await listChats(people.owner.device)).toMatchObject([
          { chatId: groupId, content: message, chatVersion: version + 1 },
        ]);
      }
    },
  );

  test("concurrent with others gets the next number, and every member receives the changes in that order", async () => {
    const { groupId, people, members, idOf } = await groupOfSix(messenger());
    const before = (await storedGroup(messenger(), groupId)).messages.length;
    const requests: [GroupRole, string, object][] = [
      ["admin", "renameGroup", { groupName: "a" }],
      ["secondAdmin", "renameGroup", { groupName: "b" }],
      ["owner", "setMemberRole", { userId: idOf("member"), role: "admin" }],
      ["member", "messageInGroup", { content: "what is going on?" }],
      ["admin", "removeUserFromGroup", { userId: idOf("secondMember") }],
      ["secondMember", "messageInGroup", { content: "wait" }],
      ["owner", "transferOwnership", { userId: idOf("admin") }],
      ["member", "addUserInGroup", { userId: idOf("stranger") }],
    ];
    const answers = await Promise.all(
      requests.map(([role, type, params]) => people[role].device.exchange({ type, params: { groupId, ...params } })),
    );
    const { messages } = await storedGroup(messenger(), groupId);
    const written = answers.filter(({ success }) => success).length;
    expect(messages).toHaveLength(before + written);
    expect(messages).toMatchObject(numbers(1, messages.length).map((number) => ({ seq: number, version: number })));
    for (const { otherDevice } of members.filter((each) => each !== people.secondMember)) {
      const versions = (await pushesTo(otherDevice)).map(({ params }) => params.item.version);
      expect(versions).toEqual(numbers(before + 1, messages.length));
    }
  });
});

describe("a removed member", () => {
  test("receives, reads and writes nothing", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    await people.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("member") });
    await clearPushes([people.member]);
    await sendToGroup(people.owner.device, groupId, "between us");
    await people.admin.device.request("renameGroup", { groupId, groupName: "without you" });
    await people.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("secondMember") });
    for (const device of people.member.devices) expect(await pushesTo(device)).toEqual([]);

    const { device } = people.member;
    expect(await listChats(device)).toEqual([]);
    for (const [type, params] of [
      ["getlatestMessageGroup", { limit: 5, page: 1 }],
      ["listGroupMembers", { limit: 5, page: 1 }],
      ["messageInGroup", { content: "hello?" }],
      ["addUserInGroup", { userId: idOf("member") }],
      ["leaveGroup", {}],
      ["renameGroup", { groupName: "mine" }],
    ] as const) {
      expect(await device.requestError(type, { groupId, ...params })).toMatchObject({ type, ...notMember });
    }
  });

  test("who is added again sees the whole history as read and receives later messages", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    await sendToGroup(people.owner.device, groupId, "before");
    await people.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("admin") });
    await sendToGroup(people.owner.device, groupId, "while away");
    await clearPushes([people.admin]);
    const { params } = await people.member.device.request("addUserInGroup", { groupId, userId: idOf("admin") });
    expect(await people.admin.otherDevice.nextPush("addUserInGroup")).toMatchObject({ params: { item: params.item } });

    const { device } = people.admin;
    const rows = await groupHistory(device, groupId);
    expect(rows.map(({ seq }) => seq).reverse()).toEqual(numbers(1, params.item.seq));
    expect(rows.map(({ content }) => content)).toEqual(expect.arrayContaining(["before", "while away"]));
    expect(await listChats(device)).toMatchObject([{ chatId: groupId, unread: 0, readSeq: params.item.seq }]);
    expect(await roleOf(device, groupId, idOf("admin"))).toBe("member");
    await sendToGroup(people.owner.device, groupId, "welcome back");
    expect(await people.admin.otherDevice.nextPush("messageInGroup")).toMatchObject({
      params: { message: "welcome back" },
    });
    expect(await listChats(device)).toMatchObject([{ unread: 1 }]);
  });
});

test("a page of a group's changes comes with the later membership changes", async () => {
  const { groupId, idOf } = await groupOfSix(messenger());
  const all = await changesAfter(messenger().db, { chatId: groupId, after: 0, limit: 100 });
  const page = await changesAfter(messenger().db, { chatId: groupId, after: 0, limit: 2 });
  expect(all.messages).toHaveLength(7);
  expect(all.laterEvents).toEqual([]);
  expect(page.messages).toEqual(all.messages.slice(0, 2));
  expect(page.laterEvents).toEqual(all.messages.slice(2));
  expect(page.memberIds).toEqual(all.memberIds);
  expect(page.laterEvents.map(({ event }) => event?.userId)).toContain(idOf("admin"));
});
