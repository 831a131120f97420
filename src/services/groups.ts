import type { ChatMessage } from "../db/queries/messages.ts";
import { AppError } from "../errors.ts";
import type { Actor } from "./actor.ts";
import type { ChatLog, LockedChat, SentMessage } from "./chat-log.ts";

/** One answer for a stranger, for someone who has left, and for a group that does not exist: it tells nothing. */
export const notMember = () => new AppError("notMember", "User is not a member of this group");
export const noSuchUser = () => new AppError("notFound", "There is no such user");

/** Groups and who is in them. Every change is a message in the group's history. */
export class Groups {
  constructor(private readonly options: { chatLog: ChatLog; maxMembers: number }) {}

  /** Makes a group; whoever makes it owns it. With a `clientMessageId`, made once however often it is asked for. */
  create(by: Actor, wish: { groupName: string; clientMessageId?: string | undefined }): Promise<SentMessage> {
    const { groupName, clientMessageId } = wish;
    return this.options.chatLog.change(by.origin, async (changes) => {
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
  add(by: Actor, { groupId, userId }: { groupId: number; userId: number }): Promise<ChatMessage> {
    return this.options.chatLog.change(by.origin, async (changes) => {
      const exists = await changes.holdAccount(userId);
      const group = await changes.lock(groupId);
      requireMember(group, by.userId);
      if (!exists) throw noSuchUser();
      if (group.members.has(userId)) throw new AppError("conflict", "User is already a member of this group");
      if (group.members.size >= this.options.maxMembers) {
        throw new AppError("limit", `A group has at most ${this.options.maxMembers} members`);
      }
      const message = await group.append({
        senderId: by.userId,
        event: { kind: "memberAdded", byUserId: by.userId, userId },
      });
      await group.addMember(userId, { role: "member", readSeq: message.seq });
      return message;
    });
  }

  /** Makes another member the owner; the one before becomes an admin. */
  transferOwnership(by: Actor, { groupId, userId }: { groupId: number; userId: number }): Promise<ChatMessage> {
    return this.options.chatLog.change(by.origin, async (changes) => {
      const group = await changes.lock(groupId);
      requireMember(group, by.userId);
      if (group.members.get(by.userId) !== "owner")
        throw new AppError("forbidden", "Only the owner of the group may do this");
      if (!group.members.has(userId)) throw new AppError("notFound", "There is no such user in this group");
      if (userId === by.userId) throw new AppError("conflict", "User owns this group already");
      await group.setRole(by.userId, "admin");
      return handOver(group, by.userId, userId);
    });
  }

  /** Leaves a group. An owner hands over; the last one out ends the group. */
  leave(by: Actor, { groupId }: { groupId: number }): Promise<ChatMessage> {
    return this.options.chatLog.change(by.origin, async (changes) => {
      const group = await changes.lock(groupId);
      requireMember(group, by.userId);
      return takeLeave(group, by.userId);
    });
  }
}

/** Throws unless the chat is a group that this person is in. */
export function requireMember(chat: LockedChat | undefined, userId: number): asserts chat is LockedChat {
  if (chat?.kind !== "group" || !chat.members.has(userId)) throw notMember();
}

/** What leaving does: the notice, the hand-over to the oldest admin, else the oldest member, else the end. */
export async function takeLeave(group: LockedChat, userId: number): Promise<ChatMessage> {
  const role = group.members.get(userId);
  await group.removeMember(userId);
  const notice = await group.append({ senderId: userId, event: { kind: "memberLeft", byUserId: userId } });
  const others = [...group.members];
  if (others.length === 0) await group.end();
  else if (role === "owner") {
    const [heirId] = others.find(([, itsRole]) => itsRole === "admin") ?? others[0] ?? [];
    if (heirId !== undefined) await handOver(group, userId, heirId);
  }
  return notice;
}

async function handOver(group: LockedChat, byUserId: number, userId: number): Promise<ChatMessage> {
  await group.setRole(userId, "owner");
  return group.append({ senderId: byUserId, event: { kind: "ownershipTransferred", byUserId, userId } });
}
