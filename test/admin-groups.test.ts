import { describe, expect, test } from "@jest/globals";
import { admin, audited } from "./support/admin.ts";
import { upload } from "./support/files.ts";
import { clearPushes, groupOfSix, pushesTo, roleOf } from "./support/group-scene.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  errorOf,
  listChats,
  participant,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Groups managed by administrators over HTTP, and statistics. Neither shows what was written. */

const messenger = useMessenger();

const call = (by: TestUser, method: string, path: string, body?: object) =>
  messenger().http(method, `/admin${path}`, { token: by.token, ...(body && { body }) });
const setOwner = (by: TestUser, groupId: number, userId: number) =>
  call(by, "PUT", `/groups/${groupId}/owner`, { userId });
const notFound = { status: 404, body: { code: "NOT_FOUND" } };

describe("the list of groups", () => {
  test("shows name, size, owner and time, in pages, and no message", async () => {
    const ann = await admin(messenger());
    const owner = await participant(messenger());
    const names = ["Straßenfest", "Lunch", "STRASSE"];
    const ids = [];
    for (const name of names) ids.push(await createGroup(owner.device, [ann], name));
    await sendPrivately(owner.device, ann.id, "not a group");
    const { createdAt } = await sendToGroup(owner.device, ids[0] ?? 0, "the secret of the street");
    const { status, body } = await call(ann, "GET", "/groups?search=strasse");
    expect(status).toBe(200);
    expect(body.data.map(({ id }: { id: number }) => id)).toEqual([ids[0], ids[2]]);
    expect(body.data[0]).toEqual({
      id: ids[0],
      name: "Straßenfest",
      members: 2,
      ownerId: owner.id,
      createdAt: expect.any(String),
      lastMessageAt: createdAt,
    });
    const first = await call(ann, "GET", "/groups?limit=2");
    const second = await call(ann, "GET", `/groups?limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.data, ...second.body.data].map(({ name }) => name)).toEqual(names);
    expect(second.body.nextCursor).toBeNull();
    expect(JSON.stringify([first.body, second.body])).not.toContain("secret");
  });
});

describe("a new owner", () => {
  test("must be a member; the previous owner becomes an admin, and every device agrees", async () => {
    const ann = await admin(messenger(), "Ann");
    const { groupId, people, members } = await groupOfSix(messenger());
    for (const userId of [people.stranger.id, ann.id, unknownId]) {
      expect(await setOwner(ann, groupId, userId)).toMatchObject(notFound);
    }
    expect(await setOwner(ann, unknownId, people.member.id)).toMatchObject(notFound);
    expect((await setOwner(ann, groupId, people.member.id)).status).toBe(204);
    for (const { device } of members) {
      expect(await pushesTo(device)).toEqual([
        expect.objectContaining({
          type: "transferOwnership",
          params: expect.objectContaining({
            message: `Ann handed the group over to ${people.member.firstName}`,
            item: expect.objectContaining({
              senderId: ann.id,
              event: expect.objectContaining({ byUserId: people.owner.id, userId: people.member.id }),
            }),
          }),
        }),
      ]);
    }
    const { device } = people.member;
    expect(await roleOf(device, groupId, people.member.id)).toBe("owner");
    expect(await roleOf(device, groupId, people.owner.id)).toBe("admin");
    expect((await setOwner(ann, groupId, people.member.id)).status).toBe(204);
    expect(await audited(messenger(), { id: ann.id })).toEqual([
      {
        source: "http",
        actorId: ann.id,
        action: "group.owner",
        targetId: groupId,
        details: { ownerId: people.member.id, previousOwnerId: people.owner.id },
      },
    ]);
  });

  test("can be given to a group that has lost its owner", async () => {
    const ann = await admin(messenger());
    const { groupId, people } = await groupOfSix(messenger());
    await messenger().sql("UPDATE chat_members SET role = 'member' WHERE chat_id = $groupId", { groupId });
    expect((await call(ann, "GET", "/groups?limit=100")).body.data).toContainEqual(
      expect.objectContaining({ id: groupId, ownerId: null }),
    );
    expect((await setOwner(ann, groupId, people.member.id)).status).toBe(204);
    expect(await roleOf(people.member.device, groupId, people.member.id)).toBe("owner");
  });
});

describe("a deleted group", () => {
  test("is gone for its members, who are notified", async () => {
    const ann = await admin(messenger(), "Ann");
    const { groupId, members, people } = await groupOfSix(messenger());
    expect((await call(ann, "DELETE", `/groups/${groupId}`)).status).toBe(204);
    for (const { device } of members) {
      const [push] = await pushesTo(device);
      expect(push).toMatchObject({ type: "deleteGroup", params: { message: "Ann deleted the group" } });
      expect(await listChats(device)).toEqual([]);
    }
    expect((await errorOf(people.owner.device, "messageInGroup", { groupId, content: "hello?" })).code).toBe(
      "NOT_MEMBER",
    );
    expect(await call(ann, "DELETE", `/groups/${groupId}`)).toMatchObject(notFound);
    expect(await audited(messenger(), { id: ann.id })).toEqual([
      { source: "http", actorId: ann.id, action: "group.delete", targetId: groupId, details: { members: 5 } },
    ]);
  });

  test("can be one without members, but not a dialog", async () => {
    const [ann, bob] = [await admin(messenger()), await participant(messenger())];
    const groupId = await createGroup(bob.device);
    await messenger().sql("DELETE FROM chat_members WHERE chat_id = $groupId", { groupId });
    expect(await setOwner(ann, groupId, bob.id)).toMatchObject(notFound);
    expect((await call(ann, "DELETE", `/groups/${groupId}`)).status).toBe(204);
    const { chatId } = await sendPrivately(bob.device, ann.id, "hello");
    expect(await call(ann, "DELETE", `/groups/${chatId}`)).toMatchObject(notFound);
    await clearPushes([bob]);
    expect(await listChats(bob.device)).toHaveLength(1);
  });
});

describe("statistics", () => {
  test("count accounts, sockets, chats and messages", async () => {
    const ann = await admin(messenger());
    const bob = await participant(messenger(), { devices: 2 });
    const read = async () => (await call(ann, "GET", "/stats")).body;
    const before = await read();
    expect(before).toEqual({
      users: expect.any(Number),
      active: { day: before.users, week: before.users, month: before.users },
      sockets: 2,
      chats: expect.any(Number),
      messages: expect.any(Number),
      messagesPerDay: expect.any(Array),
      databaseBytes: expect.any(Number),
      fileBytes: 0,
    });
    expect(before.databaseBytes).toBeGreaterThan(1_000_000);
    expect(before.messagesPerDay).toHaveLength(30);
    for (const text of ["one", "two", "three"]) await sendPrivately(bob.device, ann.id, text);
    await upload(messenger(), bob, "12345");
    const old = await messenger().person();
    await messenger().sql("UPDATE sessions SET last_used_at = now() - interval '10 days' WHERE user_id = $id", {
      id: old.id,
    });
    await messenger().sql(
      `UPDATE messages SET created_at = created_at - interval '1 day' WHERE sender_id = $id AND content = 'one'`,
      { id: bob.id },
    );
    const after = await read();
    expect(after).toMatchObject({
      users: before.users + 1,
      active: { day: before.users, week: before.users, month: before.users + 1 },
      chats: before.chats + 1,
      messages: before.messages + 3,
      fileBytes: 5,
    });
    expect(after.messagesPerDay.slice(-2)).toEqual([
      before.messagesPerDay.at(-2) + 1,
      before.messagesPerDay.at(-1) + 2,
    ]);
  });
});
