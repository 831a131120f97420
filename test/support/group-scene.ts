import type { Device } from "./device.ts";
import type { TestMessenger } from "./messenger.ts";
import { createGroup, listMembers, type Participant, participants } from "./scenes.ts";

/* A group with people of every role, for tests of permissions and of changes to groups. */

export const groupRoles = ["owner", "admin", "secondAdmin", "member", "secondMember", "stranger"] as const;
export type GroupRole = (typeof groupRoles)[number];

/** The error for an unknown group and for one that the caller is not in. */
export const notMember = { code: "NOT_MEMBER", message: "User is not a member of this group" };

/**
 * A group of five members, each with two devices, and a stranger. Joined in this order: owner, member, second admin,
 * second member, admin. All pushes so far are cleared.
 */
export async function groupOfSix(messenger: TestMessenger) {
  const [owner, admin, secondAdmin, member, secondMember, stranger] = await participants(messenger, 2, 2, 2, 2, 2, 2);
  const people: Record<GroupRole, Participant> = { owner, admin, secondAdmin, member, secondMember, stranger };
  const groupId = await createGroup(owner.device, [member, secondAdmin, secondMember, admin], "the group");
  for (const { id } of [secondAdmin, admin]) {
    await owner.device.request("setMemberRole", { groupId, userId: id, role: "admin" });
  }
  await clearPushes(Object.values(people));
  const members = [owner, admin, secondAdmin, member, secondMember];
  return { groupId, people, members, idOf: (role: GroupRole) => people[role].id };
}

/** Waits for the pushes sent to these people so far and clears them. */
export async function clearPushes(people: readonly Participant[]): Promise<void> {
  const devices = people.flatMap((person) => person.devices);
  await Promise.all(devices.map((device) => device.settle()));
  for (const device of devices) device.frames.length = 0;
}

/** The pushes that a device has received since it connected or was cleared. */
export async function pushesTo(device: Device) {
  await device.settle();
  return device.pushes();
}

/** The user's role in a group, as listed to a member. */
export const roleOf = async (device: Device, groupId: number, userId: number) =>
  (await listMembers(device, groupId)).find((row) => row.userId === userId)?.role;

/** Every stored row of a group. */
export const storedGroup = async (messenger: TestMessenger, groupId: number) => ({
  chat: await messenger.sql("SELECT * FROM chats WHERE id = $groupId", { groupId }),
  members: await messenger.sql("SELECT * FROM chat_members WHERE chat_id = $groupId ORDER BY user_id", { groupId }),
  messages: await messenger.sql<{ content: string }>("SELECT * FROM messages WHERE chat_id = $groupId ORDER BY seq", {
    groupId,
  }),
});
