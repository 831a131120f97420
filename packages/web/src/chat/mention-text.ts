import type { MentionedPeople, Message } from "messenger-client";

/** Somebody whom a text can mention. */
export interface Mentionable {
  /** Undefined for everybody in the group. */
  userId: number | undefined;
  /** How the text mentions them, without "@". */
  name: string;
}

/** How a text mentions everybody in the group. */
export const everybody: Mentionable = { userId: undefined, name: "all" };

const maxMentions = 50;
/** What may be before an "@": not the name of an e-mail address. */
const startOfMention = /(?:^|[^\p{L}\p{N}_.-])$/u;
/** What may follow a name: "@Bobby" does not mention Bob. */
const endOfName = /^(?![\p{L}\p{N}_])/u;

/** Whom a text mentions: each "@" with a name. Of people with the same name, the first one. */
export function mentionedPeople(text: string, people: readonly Mentionable[]): MentionedPeople {
  const longestFirst = [...people].sort((a, b) => b.name.length - a.name.length);
  const mentions: NonNullable<Message["mentions"]>[number][] = [];
  let mentionsAll = false;
  for (let offset = text.indexOf("@"); offset >= 0; offset = text.indexOf("@", offset + 1)) {
    if (!startOfMention.test(text.slice(0, offset))) continue;
    const rest = text.slice(offset + 1);
    const found = longestFirst.find(({ name }) => rest.startsWith(name) && endOfName.test(rest.slice(name.length)));
    if (!found) continue;
    const { userId, name } = found;
    if (userId === undefined) mentionsAll = true;
    else if (mentions.length < maxMentions) mentions.push({ userId, offset, length: name.length + 1 });
    offset += name.length;
  }
  return { ...(mentions.length > 0 && { mentions }), ...(mentionsAll && { mentionsAll }) };
}

/** The people whom a message mentions, as its text names them. */
export const peopleIn = ({ text, mentions = [], mentionsAll }: Message): Mentionable[] => [
  ...mentions.map(({ userId, offset, length }) => ({ userId, name: text.slice(offset + 1, offset + length) })),
  ...(mentionsAll ? [everybody] : []),
];

/** The name that is being written behind an "@" before the cursor, and where the "@" is. */
export function startedMention(text: string, cursor: number): { at: number; query: string } | undefined {
  const found = /(?:^|[\s(])@([^@\n]{0,40})$/u.exec(text.slice(0, cursor));
  const query = found?.[1];
  return query === undefined ? undefined : { at: cursor - query.length - 1, query };
}

/** Those whose name, or a word of it, begins with a text, in any letter case. */
export function matchingPeople(people: readonly Mentionable[], query: string): Mentionable[] {
  const wanted = query.toLocaleLowerCase();
  return people.filter(({ name }) => {
    const lower = name.toLocaleLowerCase();
    return lower.startsWith(wanted) || lower.includes(` ${wanted}`);
  });
}

/** A part of a text that mentions somebody. */
export interface MentionPart {
  offset: number;
  length: number;
  isMe: boolean;
}

/** The parts of a message that mention people, in their order. */
export function mentionParts(
  { text, mentions = [], mentionsAll }: Message,
  myId: number | undefined,
): readonly MentionPart[] {
  const parts = mentions.map(({ userId, offset, length }) => ({ offset, length, isMe: userId === myId }));
  if (mentionsAll) {
    for (const { index } of text.matchAll(/@all(?![\p{L}\p{N}_])/gu)) {
      const isFree = parts.every(({ offset, length }) => offset + length <= index || index + 4 <= offset);
      if (isFree) parts.push({ offset: index, length: 4, isMe: true });
    }
  }
  return parts.sort((a, b) => a.offset - b.offset);
}
