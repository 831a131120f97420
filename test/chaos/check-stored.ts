import { isDeepStrictEqual } from "node:util";
import { checkUploads } from "./check-files.ts";
import { checkMentions } from "./check-mentions.ts";
import { checkStates } from "./check-state.ts";
import { type FinalState, memberKey, type StoredMessage } from "./final-state.ts";
import type { Acknowledged, AcknowledgedMark, Log, Revision, SentMessage } from "./log.ts";

/** One order: the `seq` and `version` of a chat have no gap and no duplicate. */
export function checkOrder({ chats, rowsByChat }: FinalState, log: Log): void {
  for (const [chatId, { lastSeq, version, isDeleted }] of chats) {
    if (isDeleted) continue;
    const own = rowsByChat.get(chatId) ?? [];
    const isDense = own.length === lastSeq && own.every(({ seq }, index) => seq === index + 1);
    if (!isDense) log.reportViolation("gap", `chat ${chatId}: seq is not 1 to ${lastSeq}`);
    const versions = new Set(own.map((row) => row.version));
    const highest = Math.max(0, ...versions);
    if (versions.size !== own.length || highest !== version) {
      log.reportViolation("gap", `chat ${chatId}: versions repeat, or end at ${highest} instead of ${version}`);
    }
  }
}

/** Durable, exactly once, no ghosts: acknowledged changes are stored, and rejected ones are not. */
export function checkStored(finalState: FinalState, observed: Acknowledged, log: Log): void {
  checkSends(finalState, observed.sent, log);
  checkMentions(finalState, observed, log);
  checkStates(finalState, observed.states, log);
  checkUploads(finalState, observed.uploads, log);
  for (const revision of observed.revisions) {
    const lost = lostOf(finalState, revision);
    if (lost) log.reportViolation("lost", `chat ${revision.chatId}: message ${revision.messageId} ${lost}`);
  }
  for (const mark of observed.marks) {
    const lost = lostMark(finalState, mark);
    if (lost) log.reportViolation("lost", `chat ${mark.chatId}: message ${mark.messageId} ${lost}`);
  }
  for (const { userId, chatId, readSeq, clearedSeq } of observed.readStates) {
    const member = finalState.members.get(memberKey(userId, chatId));
    if (!member || (member.readSeq >= readSeq && member.clearedSeq >= clearedSeq)) continue;
    log.reportViolation("lost", `user ${userId} has read chat ${chatId} to ${readSeq} and cleared it to ${clearedSeq}`);
  }
}

/** The messages with a client id, by `clientKeyOf`. */
export function indexByClientId({ rows }: FinalState): Map<string, StoredMessage[]> {
  const byClientId = new Map<string, StoredMessage[]>();
  for (const row of rows) {
    if (row.clientMessageId === null) continue;
    const key = clientKeyOf(row);
    byClientId.set(key, [...(byClientId.get(key) ?? []), row]);
  }
  return byClientId;
}

export const clientKeyOf = ({
  senderId,
  clientMessageId,
}: Pick<StoredMessage, "senderId" | "clientMessageId">): string => `${senderId} ${clientMessageId}`;

function checkSends(finalState: FinalState, sent: Iterable<SentMessage>, log: Log): void {
  const { chats, rowById } = finalState;
  const byClientId = indexByClientId(finalState);
  for (const one of sent) {
    const { text, outcome, chatId, seq, messageId } = one;
    const found = byClientId.get(clientKeyOf(one)) ?? [];
    const [row] = found;
    if (found.length > 1) log.reportViolation("duplicate", `"${text}" is stored ${found.length} times`);
    if ((outcome === "rejected" || outcome === "undone") && row) {
      log.reportViolation("ghost", `"${text}" was ${outcome} and is stored`);
    }
    if (outcome !== "acknowledged") continue;
    if (!row) log.reportViolation("lost", `"${text}" was acknowledged and is not stored`);
    else if (row.id !== messageId || row.seq !== seq || row.chatId !== chatId) {
      log.reportViolation("lost", `"${text}" is stored with other ids than those acknowledged`);
    } else if (!chats.get(chatId)?.isDeleted && !isStoredAsSent(row, one, rowById)) {
      log.reportViolation("lost", `"${text}" was acknowledged and is stored with other content`);
    }
  }
}

function isStoredAsSent(
  row: StoredMessage,
  { to, text, replyTo, forwards, fileIds = [] }: SentMessage,
  rowById: FinalState["rowById"],
): boolean {
  if ("newGroup" in to) return row.event?.groupName === text;
  const isChanged = row.editedAt !== null || row.deletedAt !== null;
  if (forwards) {
    const { messageId, firstAuthorId } = forwards;
    const original = rowById.get(messageId);
    const isKnown = original?.editedAt === null && original.deletedAt === null && !isChanged;
    if (isKnown && row.content !== original.content) return false;
    if (original?.deletedAt === null && row.deletedAt === null && !isDeepStrictEqual(row.files, original.files)) {
      return false;
    }
    return row.forwardedFrom === messageId && row.firstAuthorId === firstAuthorId && row.editedAt === null;
  }
  if (row.deletedAt === null && !isDeepStrictEqual(row.files ?? [], fileIds)) return false;
  return (isChanged || row.content === text) && row.replyTo === (replyTo ?? null);
}

/** Describes how an acknowledged change of a message was lost; undefined if it is stored. */
export function lostOf({ rowById, chats }: FinalState, revision: Revision): string | undefined {
  const { chatId, messageId, version, content, isDeletion } = revision;
  if (chats.get(chatId)?.isDeleted) return undefined;
  const row = rowById.get(messageId);
  if (!row || row.version < version) return `was changed as version ${version}, which is not stored`;
  if (isDeletion) {
    const isDeleted = row.deletedAt !== null && row.content === "" && !row.files;
    return isDeleted ? undefined : "was deleted and still has its content or files";
  }
  const isOther = row.version === version && (row.editedAt === null || row.content !== content);
  return isOther ? "was edited and is stored with another text" : undefined;
}

/** Describes how an acknowledged reaction or pin was lost; undefined if it is stored. */
export function lostMark({ rowById, chats }: FinalState, mark: AcknowledgedMark): string | undefined {
  const { chatId, messageId, version, userId, emoji, on } = mark;
  if (chats.get(chatId)?.isDeleted) return undefined;
  const row = rowById.get(messageId);
  if (!row || row.version < version) return `was marked as version ${version}, which is not stored`;
  // It has changed since.
  if (row.version > version) return undefined;
  const isOn =
    emoji === undefined
      ? typeof row.pinnedBy === "number"
      : row.reactions?.some((one) => one.emoji === emoji && one.userIds.includes(userId)) === true;
  return isOn === on ? undefined : `was marked with ${emoji ?? "a pin"} (${on}) and is stored otherwise`;
}
