import { describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { findViolations } from "../src/db/queries/fsck/fsck.ts";
import { admin } from "./support/admin.ts";
import type { Device } from "./support/device.ts";
import { groupOfSix } from "./support/group-scene.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";
import { plainPicture } from "./support/pictures.ts";
import {
  annAndBob,
  annAndBobInDialog,
  block,
  chatHistory,
  createGroup,
  deleteAccount,
  listChats,
  listMembers,
  pushesDuring,
  unknownId,
} from "./support/scenes.ts";

/* Avatars of users and groups. */

const messenger = useMessenger();

/** A picture of one colour. */
const picture = (background = "#c33"): Promise<Buffer> => plainPicture(400, 300, background);

const put = (path: string, { token }: { token: string }, body: Buffer) =>
  messenger().http("PUT", path, { token, body, headers: { "content-type": "image/png" } });

/** Gives a user an avatar and returns its id. */
async function setOwn(user: TestUser, colour?: string): Promise<string> {
  const { status, body } = await put("/users/me/avatar", user, await picture(colour));
  expect(status).toBe(200);
  return body.avatarId;
}

const statusOf = async (avatarId: string) => (await messenger().http("GET", `/avatars/${avatarId}`)).status;

const syncedChat = async (device: Device, chatId: number) =>
  (await device.request("sync", { chats: [], range: [chatId, chatId] })).params.item.chats[0];

describe("the avatar of a user", () => {
  test("is a square picture that everybody may read who knows its id, and that may be cached for ever", async () => {
    const ann = await messenger().person();
    const avatarId = await setOwn(ann);
    expect(avatarId).toMatch(/^[0-9a-f]{32}$/);
    const response = await fetch(`http://127.0.0.1:${messenger().port}/avatars/${avatarId}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/webp",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
    });
    const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect({ width, height, format }).toEqual({ width: 256, height: 256, format: "webp" });
  });

  test("stands beside the name, for the user and for others", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const avatarId = await setOwn(ann);
    const get = async (path: string, { token }: TestUser) => (await messenger().http("GET", path, { token })).body;
    const person = { id: ann.id, firstName: "Ann", lastName: null, avatarId };
    expect(await get("/users/me", ann)).toMatchObject({ avatarId });
    expect(await get(`/users/${ann.id}`, bob)).toEqual(person);
    expect((await get(`/users?ids=${ann.id},${bob.id}`, bob)).data).toEqual([
      person,
      { id: bob.id, firstName: "Bob", lastName: null },
    ]);
    expect((await get("/users?search=ann&limit=100", bob)).data).toContainEqual(person);
    await block(messenger(), bob, ann);
    expect((await get("/users/me/blocks", bob)).data).toEqual([person]);
    expect((await listChats(bob.device))[0]).toMatchObject({ chatId, avatarId });
    expect((await listChats(ann.device))[0]).not.toHaveProperty("avatarId");
    expect(await syncedChat(bob.device, chatId)).toMatchObject({ userId: ann.id, avatarId });
    const groupId = await createGroup(ann.device, [await messenger().person()]);
    const [owner, member] = await listMembers(ann.device, groupId);
    expect(owner).toMatchObject({ userId: ann.id, avatarId });
    expect(member).not.toHaveProperty("avatarId");
    const { token } = await admin(messenger());
    const search = encodeURIComponent(ann.email);
    const managed = async (path: string) => (await messenger().http("GET", path, { token })).body.data;
    expect(await managed(`/admin/users?search=${search}`)).toMatchObject([{ id: ann.id, avatarId }]);
    expect((await managed(`/admin/users?search=${encodeURIComponent(bob.email)}`))[0]).not.toHaveProperty("avatarId");
  });

  test("is pushed to the user's devices and to those who share a chat", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const avatarId = await setOwn(ann);
    const item = { userId: ann.id, firstName: "Ann", lastName: null, avatarId };
    for (const device of [...ann.devices, bob.device]) {
      expect(await device.nextPush("profile")).toMatchObject({ params: { item } });
    }
  });

  test("is gone when it is replaced, removed, or its account is deleted", async () => {
    const ann = await messenger().person();
    const first = await setOwn(ann);
    const second = await setOwn(ann, "#3c3");
    expect([await statusOf(first), await statusOf(second)]).toEqual([404, 200]);
    for (let times = 0; times < 2; times++) {
      expect((await messenger().http("DELETE", "/users/me/avatar", { token: ann.token })).status).toBe(204);
    }
    expect(await statusOf(second)).toBe(404);
    const third = await setOwn(ann);
    await deleteAccount(messenger(), ann);
    expect(await statusOf(third)).toBe(404);
    const stored = "SELECT id FROM avatars WHERE id IN ($first, $second, $third)";
    expect(await messenger().sql(stored, { first, second, third })).toEqual([]);
    expect(await messenger().sql("SELECT avatar_id FROM users WHERE id = $id", { id: ann.id })).toEqual([
      { avatar_id: null },
    ]);
  });

  test.each<[what: string, body: () => Buffer | Promise<Buffer>, status: number, code: string]>([
    ["nothing", () => Buffer.alloc(0), 400, "VALIDATION"],
    ["a text", () => Buffer.from("no picture"), 400, "VALIDATION"],
    ["SVG", () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 400, "VALIDATION"],
    ["a cut picture", async () => (await picture()).subarray(0, 200), 400, "VALIDATION"],
    ["too many bytes", () => Buffer.alloc(5 * 1024 * 1024 + 1), 413, "TOO_LARGE"],
  ])("%s is rejected and changes nothing", async (_what, body, status, code) => {
    const ann = await messenger().person();
    const avatarId = await setOwn(ann);
    expect(await put("/users/me/avatar", ann, await body())).toMatchObject({ status, body: { code } });
    expect(await statusOf(avatarId)).toBe(200);
  });

  test("that does not exist is not found, however it is spelled", async () => {
    for (const id of ["0".repeat(32), "x", "a".repeat(150)]) expect(await statusOf(id)).toBe(404);
  });
});

describe("the avatar of a group", () => {
  test("is set by admins and the owner, with a system message, and stands beside the group's name", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, admin: groupAdmin, member } = people;
    const path = `/groups/${groupId}/avatar`;
    const { status, body } = await put(path, groupAdmin, await picture());
    expect(status).toBe(200);
    const { avatarId } = body;
    const [message] = (await chatHistory(member.device, groupId)).slice(-1);
    expect(message).toMatchObject({
      notification: true,
      message: `${groupAdmin.firstName} changed the picture of the group`,
      event: { kind: "avatarChanged", byUserId: groupAdmin.id, avatarId },
    });
    for (const device of [...owner.devices, ...groupAdmin.devices, ...member.devices]) {
      expect(await device.nextPush("groupAvatar")).toMatchObject({ params: { item: message } });
    }
    expect((await listChats(member.device)).find(({ chatId }) => chatId === groupId)).toMatchObject({ avatarId });
    expect(await syncedChat(member.device, groupId)).toMatchObject({ groupId, avatarId });
    expect(await statusOf(avatarId)).toBe(200);
    const { token } = await admin(messenger());
    const managed = async () =>
      (await messenger().http("GET", "/admin/groups?limit=100", { token })).body.data.find(
        ({ id }: { id: number }) => id === groupId,
      );
    expect(await managed()).toMatchObject({ avatarId });

    expect((await messenger().http("DELETE", path, { token: owner.token })).status).toBe(204);
    expect(await managed()).not.toHaveProperty("avatarId");
    expect(await statusOf(avatarId)).toBe(404);
    const push = await member.device.nextPush("groupAvatar");
    expect(push.params.item.event).toEqual({ kind: "avatarChanged", byUserId: owner.id });
    const received = await pushesDuring(member.devices, async () => {
      expect((await messenger().http("DELETE", path, { token: owner.token })).status).toBe(204);
    });
    expect(received.flat()).toEqual([]);
  });

  test("is not set by members, ex-members and strangers; unknown groups are answered alike", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    await people.secondMember.device.request("leaveGroup", { groupId });
    const ask = async (method: "PUT" | "DELETE", id: number, { token }: TestUser) => {
      const options = method === "PUT" ? { token, body: await picture() } : { token };
      const { status, body } = await messenger().http(method, `/groups/${id}/avatar`, options);
      return { status, code: body.code, detail: body.detail };
    };
    for (const method of ["PUT", "DELETE"] as const) {
      expect(await ask(method, groupId, people.member)).toMatchObject({ status: 403, code: "FORBIDDEN" });
      const unknown = await ask(method, unknownId, people.stranger);
      expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
      for (const person of [people.secondMember, people.stranger]) {
        expect(await ask(method, groupId, person)).toEqual(unknown);
      }
    }
    const { ann, chatId } = await annAndBobInDialog(messenger());
    expect(await ask("PUT", chatId, ann)).toMatchObject({ code: "NOT_MEMBER" });
    expect(await chatHistory(people.owner.device, groupId)).not.toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ kind: "avatarChanged" }) }),
    );
  });

  test("is gone when the group is deleted", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { body } = await put(`/groups/${groupId}/avatar`, people.owner, await picture());
    await people.owner.device.request("deleteGroup", { groupId });
    expect(await statusOf(body.avatarId)).toBe(404);
  });
});

test("fsck finds avatars of nobody and those that are missing", async () => {
  const { ann } = await annAndBob(messenger());
  const avatarId = await setOwn(ann);
  const violations = async () => (await findViolations(messenger().db)).violations;
  expect(await violations()).toEqual([]);
  await messenger().sql("INSERT INTO avatars (id, picture) VALUES ('lost', '')");
  expect(await violations()).toContainEqual({ invariant: "avatar-has-owner", table: "avatars", id: "lost" });
  await messenger().sql("DELETE FROM avatars WHERE id IN ('lost', $avatarId)", { avatarId });
  expect(await violations()).toEqual([{ invariant: "avatar-exists", table: "users", id: ann.id, avatarId }]);
  await messenger().sql("UPDATE users SET avatar_id = NULL WHERE id = $id", { id: ann.id });
});
