import type { Log } from "./log.ts";
import type { LocalChat, Replica } from "./replica.ts";
import { membership, type Truth } from "./final-state.ts";

/** A device, as the judge looks at it. */
export interface JudgedDevice {
  name: string;
  userId: number;
  replica: Pick<Replica, "chats">;
}

/** Complete catch-up: what a device knows after it has caught up is what the database has. */
export function judgeDevice(truth: Truth, log: Log, { name, userId, replica }: JudgedDevice): void {
  const { chats, members } = truth;
  const wrong = (chatId: number, what: string) => log.violate("incomplete", `${name}: chat ${chatId}: ${what}`);
  for (const [chatId, chat] of chats) {
    const isMissing = members.has(membership(userId, chatId)) && !chat.ended && chat.version > 0;
    if (isMissing && !replica.chats.has(chatId)) wrong(chatId, "is missing");
  }
  for (const local of replica.chats.values()) {
    const { chatId, peerId } = local;
    const marks = members.get(membership(userId, chatId));
    const chat = chats.get(chatId);
    if (!marks || !chat) {
      log.violate("leak", `${name}: still has chat ${chatId}, which it is not in`);
      continue;
    }
    if (local.version !== chat.version) wrong(chatId, `is at version ${local.version} of ${chat.version}`);
    if (local.readSeq !== marks.readSeq) wrong(chatId, `is read to ${local.readSeq} instead of ${marks.readSeq}`);
    if (local.clearedSeq !== marks.clearedSeq) wrong(chatId, `is cleared to ${local.clearedSeq}`);
    const peer = peerId === undefined || peerId === userId ? undefined : members.get(membership(peerId, chatId));
    if (peer && local.peerReadSeq !== peer.readSeq) {
      wrong(chatId, `is read by the other side to ${local.peerReadSeq} instead of ${peer.readSeq}`);
    }
    compareMessages(local, truth, (what) => wrong(chatId, what));
  }
}

/** A device has each message as it is, and nothing that its person has hidden. */
function compareMessages(local: LocalChat, { rowsByChat, rowById }: Truth, wrong: (what: string) => void): void {
  const { chatId, clearedSeq, messages, partial } = local;
  for (const seq of messages.keys()) if (seq <= clearedSeq) wrong(`still has seq ${seq}, cleared to ${clearedSeq}`);
  for (const row of rowsByChat.get(chatId) ?? []) {
    if (row.seq <= clearedSeq) continue;
    const item = messages.get(row.seq);
    if (!item) {
      if (!partial) wrong(`seq ${row.seq} is missing`);
      continue;
    }
    const { version, messageId, message, senderId, replyTo, editedAt, deletedAt } = item;
    if (version !== row.version || messageId !== row.id || senderId !== row.senderId) {
      wrong(`seq ${row.seq} is at version ${version} instead of ${row.version}`);
    }
    if (!row.event && message !== row.content) wrong(`seq ${row.seq} says something else`);
    if (!isSameMoment(editedAt, row.editedAt) || !isSameMoment(deletedAt, row.deletedAt)) {
      wrong(`seq ${row.seq} was edited or deleted at another time`);
    }
    const answered = row.replyTo === null ? undefined : rowById.get(row.replyTo);
    if (replyTo?.messageId !== answered?.id || replyTo?.senderId !== answered?.senderId) {
      wrong(
        `seq ${row.seq} answers message ${replyTo?.messageId} of person ${replyTo?.senderId} instead of ${row.replyTo}`,
      );
    }
  }
}

const isSameMoment = (told: string | null, stored: Date | null): boolean =>
  (told === null ? null : Date.parse(told)) === (stored === null ? null : stored.getTime());
