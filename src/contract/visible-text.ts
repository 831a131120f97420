/*
 * Which texts people can see and tell apart. Written as parts of regular expressions with the flag "u".
 */

/** Every control character except tab and line feed, and lone surrogates. A control character takes six bytes in JSON. */
const unsafe = "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\ud800-\\udfff";

/**
 * A character that leaves a mark by itself: no white space, control or format character, nothing that is ignored by
 * default, no combining mark, no noncharacter, and not the blank Braille pattern, the object replacement character or the
 * musical null notehead. Unassigned characters count as visible: newer versions of Unicode assign them to emoji and letters.
 */
const visible =
  "[^\\s\\p{Cc}\\p{Cf}\\p{M}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u2800\\ufffc\\u{1d159}]";

/** Embeddings, overrides and isolates: with them a name can look like another one, or turn the text that follows it. */
const directionControl = "\\u202a-\\u202e\\u2066-\\u2069";

export const hasVisibleCharacter = new RegExp(visible, "u");
export const hasOnlySafeCharacters = new RegExp(`^[^${unsafe}]*$`, "u");
export const hasNoDirectionControl = new RegExp(`^[^${directionControl}]*$`, "u");
