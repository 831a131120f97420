import { isDeepStrictEqual } from "node:util";
import type { MessageItem } from "../../src/contract/messages.ts";
import { checkLocalState } from "./check-state.ts";
import { type FinalState, memberKey, shownAuthorOf } from "./final-state.ts";
import { type LocalChat, previewOf } from "./local-chat.ts";
import type { Log } from "./log.ts";
import { hasSameMentions } from "./mentions.ts";
import type { Replica } from "./replica.ts";

/** A device as the checker needs it. */
export interface CheckedDevice {
  name: string;
  userId: number;
  replica: Pick<Replica, "chats" | "state">;
}

/** Complete resume: after a sync, the state of a device equals the database. */
export function checkDevice(finalState: FinalState, log: Log, device: CheckedDevice): void {
  checkLocalState(finalState, log, device);
  const { name, userId, replica } = device;
  const { chats, members } = finalState;
  const report = (chatId: number, details: string) =>
    log.reportViolation("incomplete", `${name}: chat ${chatId}: ${details}`);
  for (const [chatId, chat] of chats) {
    const isMissing = members.has(memberKey(userId, chatId)) && !chat.isDeleted && chat.version > 0;
    if (isMissing && !replica.chats.has(chatId)) report(chatId, "is missing");
  }
  for (const local of replica.chats.values()) {
    const { chatId, peerId } = local;
    const member = members.get(memberKey(userId, chatId));
    const chat = chats.get(chatId);
    if (!member || !chat) {
      log.reportViolation("leak", `${name}: still has chat ${chatId} without being a member`);
      continue;
    }
    if (local.version !== chat.version) report(chatId, `is at version ${local.version} of ${chat.version}`);
    if (local.readSeq !== member.readSeq) report(chatId, `is read to ${local.readSeq} instead of ${member.readSeq}`);
    if (chat.kind === "group" && local.avatarId !== (chat.avatarId ?? undefined)) {
      report(chatId, `has the avatar ${local.avatarId} instead of ${chat.avatarId}`);
    }
    if (local.clearedSeq !== member.clearedSeq) report(chatId, `is cleared to ${local.clearedSeq}`);
    const peer = peerId === undefined || peerId === userId ? undefined : members.get(memberKey(peerId, chatId));
    if (peer && local.peerReadSeq !== peer.readSeq) {
      report(chatId, `is read by the other user to ${local.peerReadSeq} instead of ${peer.readSeq}`);
    }
    compareMessages(local, finalState, (details) => report(chatId, details));
  }
}

/** The device has each message as it is stored, from the oldest it keeps on, and none up to the cleared position. */
function compareMessages(
  local: LocalChat,
  { rowsByChat, rowById }: FinalState,
  report: (details: string) => void,
): void {
  const { chatId, clearedSeq, messages, oldestSeq } = local;
  for (const seq of messages.keys()) if (seq <= clearedSeq) report(`still has seq ${seq}, cleared to ${clearedSeq}`);
  for (const row of rowsByChat.get(chatId) ?? []) {
    if (row.seq <= clearedSeq || row.seq < oldestSeq) continue;
    const item = messages.get(row.seq);
    if (!item) {
      report(`seq ${row.seq} is missing`);
      continue;
    }
    const { version, messageId, message, senderId, replyTo, editedAt, deletedAt } = item;
    if (version !== row.version || messageId !== row.id || senderId !== row.senderId) {
      report(`seq ${row.seq} is at version ${version} instead of ${row.version}`);
    }
    if (!row.event && message !== row.content) report(`seq ${row.seq} has another text`);
    if (!isSameTime(editedAt, row.editedAt) || !isSameTime(deletedAt, row.deletedAt)) {
      report(`seq ${row.seq} has another time of its edit or deletion`);
    }
    if (JSON.stringify(reactionsOf(item)) !== JSON.stringify(row.reactions ?? [])) {
      report(`seq ${row.seq} has other reactions`);
    }
    const fileIds = (item.files ?? []).map(({ id }) => id);
    if (!isDeepStrictEqual(fileIds, row.files ?? [])) report(`seq ${row.seq} has other files`);
    if (!hasSameMentions(item, row)) report(`seq ${row.seq} mentions others`);
    if ((item.pinned?.by ?? null) !== (row.pinnedBy ?? null)) report(`seq ${row.seq} is pinned by ${item.pinned?.by}`);
    if (item.forwarded?.senderId !== shownAuthorOf(row)) {
      report(`seq ${row.seq} was forwarded from user ${item.forwarded?.senderId}`);
    }
    const original = row.replyTo === null ? undefined : rowById.get(row.replyTo);
    const preview = replyTo?.preview;
    if (original && !original.event && preview !== previewOf(original.content)) {
      report(`seq ${row.seq} shows another text of the message it replies to`);
    }
    const repliedTo = row.replyTo === null ? undefined : rowById.get(row.replyTo);
    if (replyTo?.messageId !== repliedTo?.id || replyTo?.senderId !== repliedTo?.senderId) {
      report(
        `seq ${row.seq} replies to message ${replyTo?.messageId} of user ${replyTo?.senderId} instead of ${row.replyTo}`,
      );
    }
  }
}

/** The reactions of an item, as they are stored: runs have fewer users than the server names. */
const reactionsOf = ({ reactions = [] }: MessageItem) => reactions.map(({ emoji, userIds }) => ({ emoji, userIds }));

const isSameTime = (received: string | null, stored: Date | null): boolean =>
  (received === null ? null : Date.parse(received)) === (stored === null ? null : stored.getTime());
