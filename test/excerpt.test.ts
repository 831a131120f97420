import { describe, expect, test } from "@jest/globals";
import { excerptOf } from "../packages/web/src/search/excerpt.ts";

/* The part of a found message that the web client shows. */

const shown = (text: string, highlights: number[][]) =>
  excerptOf(text, highlights)
    .map((piece) => (piece.isMarked ? `[${piece.text}]` : piece.text))
    .join("");

describe("an excerpt", () => {
  test("marks the matches", () => {
    expect(
      shown("lunch at noon", [
        [0, 5],
        [9, 4],
      ]),
    ).toBe("[lunch] at [noon]");
  });

  test("of a long text is around the first match and never splits a character", () => {
    const text = `${"😀".repeat(100)}here${"😀".repeat(100)}`;
    const excerpt = shown(text, [[200, 4]]);
    expect(excerpt.startsWith("…")).toBe(true);
    expect(excerpt.endsWith("…")).toBe(true);
    expect(excerpt).toContain("[here]");
    expect(excerpt.isWellFormed()).toBe(true);
    const odd = shown(`a${text}`, [[201, 4]]);
    expect(odd).toContain("[here]");
    expect(odd.isWellFormed()).toBe(true);
  });
});
