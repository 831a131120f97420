import type { Mention } from "../../domain/message.ts";
import { AppError } from "../../errors.ts";

/** Whom a text means, as the client says. */
export interface GivenMentions {
  mentions?: readonly Mention[] | undefined;
  mentionsAll?: true | undefined;
}

/**
 * Returns the mentions of a text by rising offset.
 * @throws AppError of kind "validation" if one is outside of the text or splits a character, or if two overlap
 */
export function mentionsIn(content: string, mentions: readonly Mention[] = []): Mention[] {
  const places = mentions
    .map(({ userId, offset, length }, place) => ({ userId, offset, length, place }))
    .sort((a, b) => a.offset - b.offset);
  let end = 0;
  return places.map(({ place, ...mention }) => {
    const { offset, length } = mention;
    const fail = (rule: string) => {
      const field = `mentions[${place}]`;
      throw new AppError("validation", `"mentions[${place}]" must ${rule}`, { field });
    };
    if (offset + length > content.length) fail("be inside the text");
    if (offset < end) fail("not overlap another mention");
    end = offset + length;
    if (splitsCharacter(content, offset) || splitsCharacter(content, end)) fail("not split a surrogate pair");
    return mention;
  });
}

/** Whether a place in a well-formed text is inside of a surrogate pair. */
const splitsCharacter = (content: string, at: number): boolean => /^[\udc00-\udfff]/.test(content.slice(at, at + 1));

/** For a message that mentions everybody outside of a group. */
export const onlyInGroups = () =>
  new AppError("validation", '"mentionsAll" is only allowed in groups', { field: "mentionsAll" });
