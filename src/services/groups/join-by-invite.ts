import type { ChatTransaction } from "../../writes/chat-transaction.ts";
import { appendToChats } from "../../writes/locked-chat.ts";

/**
 * Adds a new account to the groups of its invite, each with a system message. Groups that have ended, are full or that the
 * inviter has left are skipped.
 *
 * The new member is the sender of the messages: the sender of a message has read everything before it, which is not
 * true for the inviter, who may be away.
 */
export async function joinByInvite(
  tx: ChatTransaction,
  {
    userId,
    inviterId,
    groupIds,
    maxMembers,
  }: { userId: number; inviterId: number; groupIds: readonly number[]; maxMembers: number },
): Promise<void> {
  const chats = await tx.lockAll(groupIds);
  const groups = chats.filter(
    ({ kind, members }) => kind === "group" && members.has(inviterId) && members.size < maxMembers,
  );
  const messages = await appendToChats(
    groups.map((chat) => ({
      chat,
      senderId: userId,
      event: { kind: "memberAdded", byUserId: inviterId, userId },
    })),
  );
  for (const [index, group] of groups.entries()) {
    await group.addMember(userId, { role: "member", readSeq: messages[index]?.seq ?? 0 });
  }
}
