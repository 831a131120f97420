import { type FinalState, memberKey, type StoredMessage } from "./final-state.ts";
import type { Acknowledged, Log, MentionsRead } from "./log.ts";
import { Membership } from "./membership.ts";
import { countMentions, hasSameMentions, isMentionedIn, type Mentioned } from "./mentions.ts";

/** Acknowledged messages mention whom their senders named, without those who were not members at that moment. */
export function checkMentions(
  finalState: FinalState,
  { sent, revisions }: Pick<Acknowledged, "sent" | "revisions">,
  log: Log,
): void {
  const { chats, rows, rowById } = finalState;
  const membership = new Membership(rows);
  const checkRow = (row: StoredMessage, given: Mentioned, at: { seq: number } | { version: number }) => {
    const chat = chats.get(row.chatId);
    if (!chat || chat.isDeleted) return;
    const isMember = (userId: number) =>
      chat.kind === "dialog" ? isInDialog(chat, userId) : membership.isMember(userId, row.chatId, at);
    const mentions = given.mentions?.filter(({ userId }) => isMember(userId));
    if (hasSameMentions(row, { ...given, mentions })) return;
    log.reportViolation("lost", `chat ${row.chatId}: message ${row.id} mentions others than it was stored with`);
  };
  for (const { outcome, messageId, mentions, mentionsAll, forwards } of sent) {
    const row = outcome === "acknowledged" && messageId !== undefined ? rowById.get(messageId) : undefined;
    if (!row || forwards || row.editedAt || row.deletedAt) continue;
    checkRow(row, { ...(mentions && { mentions }), ...(mentionsAll && { mentionsAll }) }, { seq: row.seq });
  }
  for (const { messageId, version, isDeletion, mentioned = {} } of revisions) {
    const row = rowById.get(messageId);
    // A reaction or a pin may have come in between: then the version is not that of the edit.
    if (row?.version === version && row.lastChange === "edit" && !isDeletion) checkRow(row, mentioned, { version });
  }
}

const isInDialog = ({ pairLow, pairHigh }: { pairLow: number | null; pairHigh: number | null }, userId: number) =>
  userId === pairLow || userId === pairHigh;

/** What each user reads when nothing changes any more: the number of unread mentions of each chat, and the list of all. */
export function checkMentionsRead(finalState: FinalState, log: Log): void {
  for (const read of log.mentionsRead) checkOneRead(finalState, read, log);
}

function checkOneRead(finalState: FinalState, { userId, unread, messageIds }: MentionsRead, log: Log): void {
  const { chats, members, rowsByChat } = finalState;
  const report = (details: string) => log.reportViolation("incomplete", `user ${userId}: ${details}`);
  const mentioning: number[] = [];
  for (const chatId of chats.keys()) {
    const member = members.get(memberKey(userId, chatId));
    if (!member) continue;
    const rows = rowsByChat.get(chatId) ?? [];
    const count = countMentions(rows, member.readSeq, userId);
    const found = unread.get(chatId) ?? 0;
    if (found !== count) report(`chat ${chatId}: has ${found} unread mentions instead of ${count}`);
    const shown = rows.filter((row) => row.seq > member.clearedSeq && isMentionedIn(row, userId));
    mentioning.push(...shown.map(({ id }) => id));
  }
  mentioning.sort((a, b) => b - a);
  if (mentioning.join() !== messageIds.join()) {
    const missing = mentioning.filter((id) => !messageIds.includes(id));
    const others = messageIds.filter((id) => !mentioning.includes(id));
    report(`the list of mentions lacks ${missing.join(" ") || "none"} and has ${others.join(" ") || "none"} besides`);
  }
}
