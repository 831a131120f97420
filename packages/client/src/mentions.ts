import type { History } from "./history.ts";
import type { MessageItem } from "./protocol.ts";

/** Whom a text means. */
export interface MentionedPeople {
  /** The parts of the text that mean members, in UTF-16 units: inside of the text, and not overlapping. */
  mentions?: NonNullable<MessageItem["mentions"]>;
  /** The text means everybody in the group. */
  mentionsAll?: true;
}

/** Unread mentions are counted up to this number. */
export const maxMentions = 99;

/** Whether a message of somebody else mentions a user, or everybody. */
export const isMentioned = (
  { senderId, mentions, mentionsAll }: Pick<MessageItem, "senderId" | "mentions" | "mentionsAll">,
  userId: number | undefined,
): boolean => senderId !== userId && (mentionsAll || mentions?.some((mention) => mention.userId === userId)) === true;

/** The number of messages after a read position that mention a user; undefined if not all of them are kept. */
export function countMentions(
  { history, lastSeq }: { history: History; lastSeq: number },
  readSeq: number,
  userId: number | undefined,
): number | undefined {
  if (readSeq >= lastSeq) return 0;
  const unread = { from: readSeq + 1, to: lastSeq };
  if ((history.rangeAt(unread.from)?.to ?? 0) < lastSeq) return undefined;
  return Math.min(maxMentions, history.slice(unread).filter((item) => isMentioned(item, userId)).length);
}
