import { expect, test } from "@jest/globals";
import sharp from "sharp";
import { useMessenger } from "../../../test/support/messenger.ts";
import { removeAvatar, setAvatar } from "../src/account-entry.ts";
import { type Fetch, type Member, type Messenger, memory } from "../src/index.ts";
import { client, live, liveClient, until } from "./support/client.ts";

/* Avatars of users and groups, against a real server. */

const server = useMessenger();

async function picture(background = "#c33"): Promise<Blob> {
  const png = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .png()
    .toBuffer();
  return new Blob([new Uint8Array(png)], { type: "image/png" });
}

const isId = (avatarId: string | undefined) => /^[0-9a-f]{32}$/.test(avatarId ?? "");

async function annAndBob() {
  const [annUser, bobUser] = [await server().person("Ann"), await server().person("Bob")];
  const ann = await liveClient(server(), annUser);
  const bob = await liveClient(server(), bobUser);
  await ann.dialogWith(bobUser.id).send("Hello").sent;
  const dialog = bob.dialogWith(annUser.id);
  await until(dialog.summary, ({ title }) => title === "Ann");
  return { annUser, bobUser, ann, bob, dialog };
}

/** A group of Ann, who owns it, and Bob. */
async function groupOfAnnAndBob() {
  const scene = await annAndBob();
  const group = await scene.ann.createGroup({ name: "Trip", userIds: [scene.bobUser.id] });
  const { id: groupId = 0 } = group;
  const bobsGroup = scene.bob.chat(groupId);
  await until(bobsGroup.summary, ({ title }) => title === "Trip");
  return { ...scene, group, groupId, bobsGroup };
}

/** A `fetch` that counts the requests for people by their ids. */
function countingFetch(): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: (url, options) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === "/users") asked.push(searchParams.get("ids") ?? "");
      return fetch(url, options);
    },
  };
}

const hasAvatar = ({ avatarId }: { avatarId?: string | undefined }) => isId(avatarId);
const memberOf = (members: readonly Member[], userId: number) => members.find((member) => member.userId === userId);
const avatarOf = ({ user }: Messenger) => user.value?.avatarId;

test("an avatar is shown at once to its user and to those who share a chat, and is gone when it is removed", async () => {
  const { annUser, ann, dialog, bobsGroup } = await groupOfAnnAndBob();
  const stopMembers = bobsGroup.members.subscribe(() => {});
  await until(bobsGroup.members, ({ length }) => length === 2);
  const device = await liveClient(server(), annUser);

  await setAvatar(ann, await picture());
  const avatarId = avatarOf(ann) ?? "";
  expect(isId(avatarId)).toBe(true);
  await until(dialog.summary, (summary) => summary.avatarId === avatarId && summary.peer?.avatarId === avatarId);
  await until(bobsGroup.members, (members) => memberOf(members, annUser.id)?.avatarId === avatarId);
  await until(device.user, (user) => user?.avatarId === avatarId);
  const response = await fetch(ann.avatarUrl(avatarId));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/webp"]);

  await removeAvatar(ann);
  expect(avatarOf(ann)).toBeUndefined();
  await until(dialog.summary, (summary) => !("avatarId" in (summary.peer ?? {})) && summary.avatarId === undefined);
  await until(bobsGroup.members, (members) => memberOf(members, annUser.id)?.avatarId === undefined);
  await until(device.user, (user) => user !== undefined && !("avatarId" in user));
  expect((await fetch(ann.avatarUrl(avatarId))).status).toBe(404);
  stopMembers();
});

test("the avatar of a group follows the changes of its admins", async () => {
  const { ann, bob, group, groupId, bobsGroup } = await groupOfAnnAndBob();
  await setAvatar(ann, await picture(), { groupId });
  const { avatarId = "" } = await until(bobsGroup.summary, hasAvatar);
  await until(group.summary, (summary) => summary.avatarId === avatarId);
  expect(bobsGroup.summary.value.lastMessage).toMatchObject({ event: { kind: "avatarChanged", avatarId } });
  await expect(setAvatar(bob, await picture(), { groupId })).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(removeAvatar(bob, { groupId })).rejects.toMatchObject({ code: "FORBIDDEN" });
  await removeAvatar(ann, { groupId });
  await until(bobsGroup.summary, (summary) => summary.avatarId === undefined);
  expect((await fetch(ann.avatarUrl(avatarId))).status).toBe(404);
});

test("what changed during an absence is there with the next connection", async () => {
  const { annUser, bobUser, ann, groupId } = await groupOfAnnAndBob();
  const store = memory();
  const before = await liveClient(server(), bobUser, { store });
  await until(before.chats, ({ length }) => length === 2);
  await before.close();
  await setAvatar(ann, await picture());
  await setAvatar(ann, await picture("#3c3"), { groupId });

  const after = client(server(), { store });
  await after.resume();
  await until(after.dialogWith(annUser.id).summary, ({ avatarId }) => avatarId === avatarOf(ann));
  await until(after.chat(groupId).summary, hasAvatar);
});

test("a device that was away receives the user's own avatar", async () => {
  const { annUser, ann } = await annAndBob();
  const store = memory();
  const before = await liveClient(server(), annUser, { store });
  await before.close();
  await setAvatar(ann, await picture());
  const after = client(server(), { store });
  await after.resume();
  expect(avatarOf(after)).toBeUndefined();
  await until(after.user, (user) => user?.avatarId === avatarOf(ann));
});

test("avatars are shown from the store before there is a connection", async () => {
  const { annUser, bobUser, ann, groupId } = await groupOfAnnAndBob();
  await setAvatar(ann, await picture());
  await setAvatar(ann, await picture("#3c3"), { groupId });
  const store = memory();
  const before = await liveClient(server(), bobUser, { store });
  await until(before.chats, (chats) => chats.length === 2 && chats.every(hasAvatar));
  await before.close();

  const offline = client(server(), { store, fetch: () => Promise.reject(new Error("offline")) });
  await offline.resume();
  expect(offline.chats.value.map(({ avatarId }) => avatarId)).toEqual(
    before.chats.value.map(({ avatarId }) => avatarId),
  );
  expect(offline.dialogWith(annUser.id).summary.value.avatarId).toBe(avatarOf(ann));
});

test("avatars of senders are read in one request, and a message does not remove them", async () => {
  const { bobUser, annUser, ann, group, groupId } = await groupOfAnnAndBob();
  await setAvatar(ann, await picture());
  const carl = await server().person("Carl");
  await group.add(carl.id);
  const counting = countingFetch();
  const reader = await liveClient(server(), carl, { fetch: counting.fetch });
  await until(reader.chats, ({ length }) => length === 1);
  const [annsAvatar, bobsAvatar] = [annUser.id, bobUser.id].map((userId) => reader.people.avatar(userId));
  if (!annsAvatar || !bobsAvatar) throw new Error("there are no avatars");
  await until(annsAvatar, isId);
  expect(bobsAvatar.value).toBeUndefined();
  expect(reader.people.avatar(annUser.id)).toBe(annsAvatar);
  expect(counting.asked).toEqual([`${annUser.id},${bobUser.id}`]);

  await group.send("Hello Carl").sent;
  await until(reader.chat(groupId).summary, ({ lastMessage }) => lastMessage?.text === "Hello Carl");
  expect(annsAvatar.value).toBe(avatarOf(ann));
  expect(reader.people.get(annUser.id)).toMatchObject({ firstName: "Ann", avatarId: annsAvatar.value });
});

test("what is no picture is rejected and changes nothing", async () => {
  const { ann } = await annAndBob();
  await setAvatar(ann, await picture());
  const before = avatarOf(ann);
  await expect(setAvatar(ann, new Blob(["no picture"]))).rejects.toMatchObject({ code: "VALIDATION" });
  await expect(setAvatar(ann, new Blob([new Uint8Array(5 * 1024 * 1024 + 1)]))).rejects.toMatchObject({
    code: "TOO_LARGE",
  });
  expect(avatarOf(ann)).toBe(before);
  await live(ann);
});
