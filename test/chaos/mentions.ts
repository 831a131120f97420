import type { Mention } from "../../src/domain/message.ts";
import type { StoredMessage } from "./final-state.ts";

/** Whom a text means, as clients say and messages show it. */
export interface Mentioned {
  mentions?: readonly Mention[];
  mentionsAll?: true;
}

/** Lets the first words of a text mean users, one word each. */
export function mentionsIn(text: string, userIds: readonly number[]): Mention[] {
  const words = [...text.matchAll(/\S+/g)];
  return userIds.flatMap((userId, place) => {
    const word = words[place];
    return word ? [{ userId, offset: word.index, length: word[0].length }] : [];
  });
}

/** Whether two messages mention the same people at the same places. */
export const hasSameMentions = (a: StoredMentioned, b: StoredMentioned): boolean => describe(a) === describe(b);

/** Mentions in a form that messages and rows have in common. */
type StoredMentioned = {
  mentions?: readonly Mention[] | null | undefined;
  mentionsAll?: boolean | null | undefined;
};

const describe = ({ mentions, mentionsAll }: StoredMentioned): string =>
  JSON.stringify([
    mentionsAll ?? false,
    (mentions ?? []).map(({ userId, offset, length }) => [userId, offset, length]),
  ]);

/** Whether a stored message of somebody else mentions a user, or everybody. */
export const isMentionedIn = ({ senderId, mentions, mentionsAll }: StoredMessage, userId: number): boolean =>
  senderId !== userId && (mentionsAll === true || mentions?.some((mention) => mention.userId === userId) === true);

/** Unread mentions are counted up to this number. */
const maxCounted = 99;

/** How many messages after a read position mention a user, as the server counts them. */
export const countMentions = (rows: readonly StoredMessage[], readSeq: number, userId: number): number =>
  Math.min(maxCounted, rows.filter((row) => row.seq > readSeq && isMentionedIn(row, userId)).length);
