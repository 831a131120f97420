import type { Database } from "../../db/connect.ts";
import type { NewAvatar } from "../../db/queries/avatars/avatars.ts";
import { groupMemberState, groupRole } from "../../db/queries/chats/member-state.ts";
import { type GroupMember, groupMembers } from "../../db/queries/groups/group-members.ts";
import { mayAdd } from "../../db/queries/people/blocked-people.ts";
import type { Actor } from "../../domain/actor.ts";
import type { Role } from "../../domain/chat.ts";
import type { StoredEvent } from "../../domain/event.ts";
import type { ChatMessage, SentMessage } from "../../domain/message.ts";
import { noSuchUser, notMember } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { ChatTransaction, ChatWriter } from "../../writes/chat-transaction.ts";
import { appendToChats, endChats, type LockedChat, removeMember, setRoles } from "../../writes/locked-chat.ts";
import type { Page } from "../messages/history.ts";

interface Member {
  groupId: number;
  userId: number;
}

/**
 * Groups and their members. Every change is a system message in the group's history. Whether the caller may make it is
 * read first, without locks: strangers never make members wait. It is checked again under the lock of the group.
 */
export class Groups {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter; maxMembers: number }) {}

  /** Creates a group, owned by the caller. Repeated requests with the same `clientMessageId` create it once. */
  create(by: Actor, input: { groupName: string; clientMessageId?: string | undefined }): Promise<SentMessage> {
    const { groupName, clientMessageId } = input;
    return this.options.chatWriter.commit(by.requester, async (tx) => {
      const repeated = await tx.findRepeated(
        { senderId: by.userId, clientMessageId },
        ({ event }) => event?.kind === "groupCreated" && event.groupName === groupName,
      );
      if (repeated) return repeated;
      if (!(await tx.lockAccount(by.userId))) throw noSuchUser();
      const group = await tx.createGroup(groupName);
      await group.addMember(by.userId, { role: "owner", readSeq: 1 });
      return group.append({
        senderId: by.userId,
        event: { kind: "groupCreated", byUserId: by.userId, groupName },
        clientMessageId,
      });
    });
  }

  /** Adds a person; any member may, unless one of the two blocks the other: then the person looks nonexistent. */
  async add(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    await this.requireRole(by, groupId, "member");
    const pair = { userId: by.userId, otherId: userId };
    if (!(await mayAdd(this.options.database, pair))) throw noSuchUser();
    return this.options.chatWriter.commit(by.requester, async (tx) => {
      await tx.lockAccount(userId);
      const group = await lockAsMember(tx, groupId, by);
      if (!(await mayAdd(this.options.database, pair, tx.transaction))) throw noSuchUser();
      if (group.members.has(userId)) throw new AppError("conflict", "User is already a member of this group");
      if (group.members.size >= this.options.maxMembers) {
        throw new AppError("limit", `A group has at most ${this.options.maxMembers} members`);
      }
      const message = await appendEvent(group, by, { kind: "memberAdded", userId });
      await group.addMember(userId, { role: "member", readSeq: message.seq });
      return message;
    });
  }

  /** Leaves a group. The owner's role passes to another member; a group without members ends. */
  async leave(by: Actor, { groupId }: { groupId: number }): Promise<ChatMessage> {
    await this.requireRole(by, groupId, "member");
    return this.options.chatWriter.commit(by.requester, async (tx) => {
      const group = await lockAsMember(tx, groupId, by);
      const [message] = await leaveGroups([group], by.userId);
      if (!message) throw new Error(`nobody has left group ${groupId}`);
      return message;
    });
  }

  /** Removes a member; an admin may remove plain members, the owner everyone else. */
  remove(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    return this.change(by, groupId, "admin", async (group) => {
      if (rank[roleOf(group, userId)] >= rank[roleOf(group, by.userId)]) throw forbidden();
      await group.removeMember(userId);
      return appendEvent(group, by, { kind: "memberRemoved", userId });
    });
  }

  /** Renames the group; admins and the owner may. If it has this name, nothing is stored. */
  rename(by: Actor, { groupId, groupName }: { groupId: number; groupName: string }): Promise<ChatMessage> {
    return this.change(by, groupId, "admin", async (group) => {
      const naming = await group.findNaming();
      // A repeated request changes nothing.
      if (naming?.groupName === groupName) return naming;
      await group.rename(groupName);
      return appendEvent(group, by, { kind: "groupRenamed", groupName });
    });
  }

  /** Rejects everybody but the admins and the owner of a group, without waiting for changes in progress. */
  requireAdmin(by: Actor, groupId: number): Promise<void> {
    return this.requireRole(by, groupId, "admin");
  }

  /** Gives the group an avatar, or removes it; admins and the owner may. If there is none to remove, nothing is stored. */
  async setAvatar(by: Actor, { groupId, avatar }: { groupId: number; avatar: NewAvatar | undefined }): Promise<void> {
    await this.change(by, groupId, "admin", async (group) => {
      if (!avatar && !(await group.hasAvatar())) return;
      await group.setAvatar(avatar);
      await appendEvent(group, by, { kind: "avatarChanged", ...(avatar && { avatarId: avatar.id }) });
    });
  }

  /** Makes a member an admin, or an admin a member; only the owner may. */
  setRole(by: Actor, { groupId, userId, role }: Member & { role: "admin" | "member" }): Promise<ChatMessage> {
    return this.change(by, groupId, "owner", async (group) => {
      if (userId === by.userId) throw new AppError("conflict", "The owner stays the owner; use transferOwnership");
      if (roleOf(group, userId) === role) throw new AppError("conflict", "User has this role already");
      await group.setRole(userId, role);
      return appendEvent(group, by, { kind: "roleChanged", userId, role });
    });
  }

  /** Makes another member the owner; the previous owner becomes an admin. */
  transferOwnership(by: Actor, { groupId, userId }: Member): Promise<ChatMessage> {
    return this.change(by, groupId, "owner", async (group) => {
      roleOf(group, userId);
      if (userId === by.userId) throw new AppError("conflict", "User owns this group already");
      await group.setRole(by.userId, "admin");
      await group.setRole(userId, "owner");
      return appendEvent(group, by, { kind: "ownershipTransferred", userId });
    });
  }

  /** Deletes the group with its history; only the owner may. All members are notified. */
  delete(by: Actor, { groupId }: { groupId: number }): Promise<ChatMessage> {
    return this.change(by, groupId, "owner", async (group) => {
      const message = await appendEvent(group, by, { kind: "groupDeleted", memberIds: [...group.members.keys()] });
      await group.end();
      return message;
    });
  }

  /** The members of the group: the owner, the admins, then the others, those who joined first at the start. */
  async members(userId: number, { groupId, limit, page }: Page & { groupId: number }): Promise<GroupMember[]> {
    const { database } = this.options;
    if (!(await groupMemberState(database, { groupId, userId }))) throw notMember();
    return groupMembers(database, { groupId, limit, offset: (page - 1) * limit });
  }

  /** Changes a group under its lock, if the caller has at least this role in it. */
  private async change<T>(
    by: Actor,
    groupId: number,
    minRole: Role,
    work: (group: LockedChat) => Promise<T>,
  ): Promise<T> {
    await this.requireRole(by, groupId, minRole);
    return this.options.chatWriter.commit(by.requester, async (tx) => {
      const group = await lockAsMember(tx, groupId, by);
      if (rank[roleOf(group, by.userId)] < rank[minRole]) throw forbidden();
      return work(group);
    });
  }

  /** Rejects callers without this role, without waiting for changes in progress. */
  private async requireRole({ userId }: Actor, groupId: number, minRole: Role): Promise<void> {
    const role = await groupRole(this.options.database, { groupId, userId });
    if (!role) throw notMember();
    if (rank[role] < rank[minRole]) throw forbidden();
  }
}

const rank: Record<Role, number> = { member: 1, admin: 2, owner: 3 };

const forbidden = () => new AppError("forbidden", "Your role in this group does not allow this");

/** Locks a group for one of its members. */
async function lockAsMember(tx: ChatTransaction, groupId: number, { userId }: Actor): Promise<LockedChat> {
  const group = await tx.lock(groupId);
  if (group?.kind !== "group" || !group.members.has(userId)) throw notMember();
  return group;
}

/** @throws AppError of kind "notFound" if the user is not in the group */
function roleOf(group: LockedChat, userId: number): Role {
  const role = group.members.get(userId);
  if (!role) throw new AppError("notFound", "There is no such user in this group");
  return role;
}

const appendEvent = (group: LockedChat, by: Actor, event: Omit<StoredEvent, "byUserId">): Promise<ChatMessage> =>
  group.append({ senderId: by.userId, event: { ...event, byUserId: by.userId } });

/**
 * Removes a person from locked groups, in as many statements for many as for one. The role of an owner passes to the
 * admin who joined first, else to the member who joined first; a group without members ends.
 * @returns the system messages, in the order of the groups
 */
export async function leaveGroups(groups: readonly LockedChat[], userId: number): Promise<ChatMessage[]> {
  const owned = groups.filter(({ members }) => members.get(userId) === "owner");
  await removeMember(groups, userId);
  const messages = await appendToChats(
    groups.map((chat) => ({ chat, senderId: userId, event: { kind: "memberLeft", byUserId: userId } })),
  );
  const nextOwners = owned.flatMap((chat) => nextOwnerOf(chat) ?? []);
  await setRoles(nextOwners.map((nextOwner) => ({ ...nextOwner, role: "owner" })));
  await appendToChats(
    nextOwners.map(({ chat, userId: nextOwnerId }) => ({
      chat,
      senderId: userId,
      event: { kind: "ownershipTransferred", byUserId: userId, userId: nextOwnerId },
    })),
  );
  await endChats(groups.filter(({ members }) => members.size === 0));
  return messages;
}

function nextOwnerOf(chat: LockedChat): { chat: LockedChat; userId: number } | undefined {
  const members = [...chat.members];
  const [userId] = members.find(([, role]) => role === "admin") ?? members[0] ?? [];
  return userId === undefined ? undefined : { chat, userId };
}
