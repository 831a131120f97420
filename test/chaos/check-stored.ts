import type { Log, Mark, Revision, Sent } from "./log.ts";
import { membership, type Row, type Truth } from "./final-state.ts";

/** One order: 1 to last, without a hole and without a repeat. */
export function judgeOrder({ chats, rowsByChat }: Truth, log: Log): void {
  for (const [chatId, { lastSeq, version, ended }] of chats) {
    if (ended) continue;
    const own = rowsByChat.get(chatId) ?? [];
    const dense = own.length === lastSeq && own.every(({ seq }, index) => seq === index + 1);
    if (!dense) log.violate("hole", `chat ${chatId}: seq is not 1 to ${lastSeq}`);
    const versions = new Set(own.map((row) => row.version));
    const greatest = Math.max(0, ...versions);
    if (versions.size !== own.length || greatest !== version) {
      log.violate("hole", `chat ${chatId}: versions repeat, or end at ${greatest} instead of ${version}`);
    }
  }
}

/** Durable, once, no ghosts: what was acknowledged is stored, and what was refused is not. */
export function judgeStored(
  truth: Truth,
  said: { sent: Iterable<Sent>; revisions: Iterable<Revision>; marks: Iterable<Mark> },
  log: Log,
): void {
  judgeSends(truth, said.sent, log);
  for (const revision of said.revisions) judgeRevision(truth, revision, log);
  for (const { userId, chatId, readSeq, clearedSeq } of said.marks) {
    const marks = truth.members.get(membership(userId, chatId));
    if (!marks || (marks.readSeq >= readSeq && marks.clearedSeq >= clearedSeq)) continue;
    log.violate("lost", `person ${userId} has read chat ${chatId} to ${readSeq} and hidden it to ${clearedSeq}`);
  }
}

function judgeSends({ rows, chats }: Truth, sent: Iterable<Sent>, log: Log): void {
  const byClientId = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.clientMessageId === null) continue;
    const key = `${row.senderId} ${row.clientMessageId}`;
    byClientId.set(key, [...(byClientId.get(key) ?? []), row]);
  }
  for (const one of sent) {
    const { text, clientMessageId, senderId, outcome, chatId, seq, messageId } = one;
    const found = byClientId.get(`${senderId} ${clientMessageId}`) ?? [];
    const [row] = found;
    if (found.length > 1) log.violate("duplicate", `"${text}" is stored ${found.length} times`);
    if (outcome === "refused" && row) log.violate("ghost", `"${text}" was refused and is stored`);
    if (outcome !== "acknowledged") continue;
    if (!row) log.violate("lost", `"${text}" was acknowledged and is not stored`);
    else if (row.id !== messageId || row.seq !== seq || row.chatId !== chatId) {
      log.violate("lost", `"${text}" is stored elsewhere than its acknowledgement says`);
    } else if (!chats.get(chatId)?.ended && !saysThat(row, one)) {
      log.violate("lost", `"${text}" was acknowledged and is stored as something else`);
    }
  }
}

function saysThat(row: Row, { to, text, replyTo }: Sent): boolean {
  if ("newGroup" in to) return row.event?.groupName === text;
  const isChanged = row.editedAt !== null || row.deletedAt !== null;
  return (isChanged || row.content === text) && row.replyTo === (replyTo ?? null);
}

function judgeRevision({ rowById, chats }: Truth, revision: Revision, log: Log): void {
  const { chatId, messageId, version, content, isDeletion } = revision;
  if (chats.get(chatId)?.ended) return;
  const row = rowById.get(messageId);
  const lost = (what: string) => log.violate("lost", `chat ${chatId}: message ${messageId} ${what}`);
  if (!row || row.version < version) lost(`was changed as version ${version}, and is not`);
  else if (isDeletion && (row.deletedAt === null || row.content !== "")) lost("was deleted, and is still there");
  else if (!isDeletion && row.version === version && (row.editedAt === null || row.content !== content)) {
    lost("was edited, and says something else");
  }
}
