import type { Database } from "../../db/connect.ts";
import { groupMemberState } from "../../db/queries/chats/member-state.ts";
import { type GroupMember, groupMembers } from "../../db/queries/groups/group-members.ts";
import type { Actor } from "../../domain/actor.ts";
import type { Role } from "../../domain/chat.ts";
import type { StoredEvent } from "../../domain/event.ts";
import type { ChatMessage, SentMessage } from "../../domain/message.ts";
import { noSuchUser, notMember } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { Changes, ChatWriter, LockedChat } from "../../writes/chat-log.ts";
import type { Page } from "../messages/history.ts";
import { blocks } from "../people/blocks.ts";

interface Member {
  groupId: number;
  userId: number;
}

/** Groups and who is in them. Every change is a message in the group's history. */
export class Groups {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter; maxMembers: number }) {}

  /** Makes a group; whoever makes it owns it. With a `clientMessageId`, made once however often it is asked for. */
  create(by: Actor, wish: { groupName: string; clientMessageId?: string | undefined }): Promise<SentMessage> {
    const { groupName, clientMessageId } = wish;
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const stored = await changes.sentBefore(
        { senderId: by.userId, clientMessageId },
        ({ event }) => event?.kind === "groupCreated" && event.groupName === groupName,
      );
      if (stored) return stored;
      if (!(await changes.holdAccount(by.userId))) throw noSuchUser();
      const group = await changes.create({ kind: "group", name: groupName });
      await group.addMember(by.userId, { role: "owner", readSeq: 1 });
      return group.append({
        senderId: by.userId,
        event: { kind: "groupCreated", byUserId: by.userId, groupName },
        clientMessageId,
      });
    });
  }

  /** Adds someone; any member may. */
  add(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const exists = await changes.holdAccount(userId);
      const group = await lockAsMember(changes, groupId, by.userId);
      if (!exists || (await blocks(userId, by.userId, changes.transaction))) throw noSuchUser();
      if (group.members.has(userId)) throw new AppError("conflict", "User is already a member of this group");
      if (group.members.size >= this.options.maxMembers) {
        throw new AppError("limit", `A group has at most ${this.options.maxMembers} members`);
      }
      const message = await note(group, by, { kind: "memberAdded", userId });
      await group.addMember(userId, { role: "member", readSeq: message.seq });
      return message;
    });
  }

  /** Leaves a group. An owner hands over; the last one out ends the group. */
  leave(by: Actor, { groupId }: { groupId: number }): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      const [notice] = await leaveGroups(changes, [group], by.userId);
      if (!notice) throw new Error(`nobody has left group ${groupId}`);
      return notice;
    });
  }

  /** Puts someone out; an admin may put out members, the owner everyone else. */
  remove(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      requireRole(group, by, "admin");
      const role = roleOf(group, userId);
      if (rank[role] >= rank[roleOf(group, by.userId)]) throw forbidden();
      await group.removeMember(userId);
      return note(group, by, { kind: "memberRemoved", userId });
    });
  }

  /** Gives the group another name; admins and the owner may. */
  rename(by: Actor, { groupId, groupName }: { groupId: number; groupName: string }): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      requireRole(group, by, "admin");
      await group.rename(groupName);
      return note(group, by, { kind: "groupRenamed", groupName });
    });
  }

  /** Makes a member an admin, or an admin a member; only the owner may. */
  setRole(by: Actor, { groupId, userId, role }: Member & { role: "admin" | "member" }): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      requireRole(group, by, "owner");
      if (userId === by.userId) throw new AppError("conflict", "The owner stays the owner; use transferOwnership");
      if (roleOf(group, userId) === role) throw new AppError("conflict", "User has this role already");
      await group.setRole(userId, role);
      return note(group, by, { kind: "roleChanged", userId, role });
    });
  }

  /** Makes another member the owner; the one before becomes an admin. */
  transferOwnership(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      requireRole(group, by, "owner");
      roleOf(group, userId);
      if (userId === by.userId) throw new AppError("conflict", "User owns this group already");
      await group.setRole(by.userId, "admin");
      await group.setRole(userId, "owner");
      return note(group, by, { kind: "ownershipTransferred", userId });
    });
  }

  /** Ends the group for everyone; only the owner may. Everybody in it is told, and its history is gone. */
  delete(by: Actor, { groupId }: { groupId: number }): Promise<ChatMessage> {
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const group = await lockAsMember(changes, groupId, by.userId);
      requireRole(group, by, "owner");
      const message = await note(group, by, { kind: "groupDeleted", memberIds: [...group.members.keys()] });
      await group.end();
      return message;
    });
  }

  /** Who is in the group: the owner, the admins, then the members, the longest there first. */
  async members(userId: number, { groupId, limit, page }: Page & { groupId: number }): Promise<GroupMember[]> {
    const { database } = this.options;
    if (!(await groupMemberState(database, { groupId, userId }))) throw notMember();
    return groupMembers(database, { groupId, limit, offset: (page - 1) * limit });
  }
}

const rank: Record<Role, number> = { member: 1, admin: 2, owner: 3 };

const forbidden = () => new AppError("forbidden", "Your role in this group does not allow this");

/** Takes the lock of a group for one of its members. */
export async function lockAsMember(changes: Changes, groupId: number, userId: number): Promise<LockedChat> {
  const group = await changes.lock(groupId);
  if (group?.kind !== "group" || !group.members.has(userId)) throw notMember();
  return group;
}

function requireRole(group: LockedChat, by: Actor, least: Role): void {
  if (rank[roleOf(group, by.userId)] < rank[least]) throw forbidden();
}

/** The role of someone in the group, who is asked about and need not be in it. */
function roleOf(group: LockedChat, userId: number): Role {
  const role = group.members.get(userId);
  if (!role) throw new AppError("notFound", "There is no such user in this group");
  return role;
}

const note = (group: LockedChat, by: Actor, event: Omit<StoredEvent, "byUserId">): Promise<ChatMessage> =>
  group.append({ senderId: by.userId, event: { ...event, byUserId: by.userId } });

/**
 * What leaving does, one group or many: the notice, the hand-over to the oldest admin, else the oldest member, else the
 * end. It takes as many statements for many as for one: meanwhile nobody else gets into these groups.
 * @returns the notices, in the order of the groups
 */
export async function leaveGroups(
  changes: Changes,
  groups: readonly LockedChat[],
  userId: number,
): Promise<ChatMessage[]> {
  const owned = groups.filter(({ members }) => members.get(userId) === "owner");
  await changes.removeMember(groups, userId);
  const notices = await changes.append(
    groups.map((chat) => ({ chat, senderId: userId, event: { kind: "memberLeft", byUserId: userId } })),
  );
  const heirs = owned.flatMap((chat) => nextOwnerOf(chat) ?? []);
  await changes.setRoles(heirs.map((heir) => ({ ...heir, role: "owner" })));
  await changes.append(
    heirs.map(({ chat, userId: heirId }) => ({
      chat,
      senderId: userId,
      event: { kind: "ownershipTransferred", byUserId: userId, userId: heirId },
    })),
  );
  await changes.endChats(groups.filter(({ members }) => members.size === 0));
  return notices;
}

function nextOwnerOf(chat: LockedChat): { chat: LockedChat; userId: number } | undefined {
  const members = [...chat.members];
  const [userId] = members.find(([, role]) => role === "admin") ?? members[0] ?? [];
  return userId === undefined ? undefined : { chat, userId };
}
