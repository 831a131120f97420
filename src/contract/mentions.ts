import type { Mention } from "../domain/message.ts";
import { maxContentUnits, userId } from "./fields.ts";
import { described, exactly, integer, list, named, object, optional, type Schema } from "./schema.ts";

/** Mentions in one message. */
const maxMentions = 50;

const mention = named(
  "Mention",
  object({
    userId: userId(),
    offset: described(integer({ min: 0, max: maxContentUnits - 1 }), "Where it begins in the text, in UTF-16 units."),
    length: described(integer({ min: 1, max: maxContentUnits }), "Its length, in UTF-16 units."),
  }),
  "A part of a text that means a person.",
);

const mentionedPeople: Schema<readonly Mention[]> = list(mention, { max: maxMentions });

/** Whom a text means, in sends and edits. */
export const givenMentions = {
  mentions: optional(
    described(
      mentionedPeople,
      "The parts of the text that mean members of the chat, at most 50. They are inside the text, do not overlap, and split no surrogate pair. Those of people who are not members are dropped.",
    ),
  ),
  mentionsAll: optional(
    described(
      exactly(true),
      "The text means everybody in the group. In groups of more than 20 only by admins and the owner.",
    ),
  ),
} as const;

/** Whom a text means, in answers and pushes. */
export const shownMentions = {
  mentions: optional(
    described(mentionedPeople, "The parts of the text that mean people, by `offset`; absent if there are none."),
  ),
  mentionsAll: optional(described(exactly(true), "The text means everybody in the group.")),
} as const;
