import { describe, expect, test } from "@jest/globals";
import { gramsOfText, gramsOfWords, highlightsOf, queryWords, searchForm } from "../src/services/search/search-text.ts";

/* How texts are compared in a search, and where a match is in the text itself. */

describe("the search form", () => {
  test.each([
    ["Hello WORLD", "hello world"],
    ["Crème brûlée", "creme brulee"],
    ["Cre\u0300me bru\u0302le\u0301e", "creme brulee"],
    ["Straße STRASSE", "strasse strasse"],
    ["ΟΔΟΣ οδος", "οδοσ οδοσ"],
    ["ПРИВЕТ, Ёлка", "привет, елка"],
    ["İstanbul ISTANBUL", "istanbul istanbul"],
    ["ﬁne ① Ｆｕｌｌ", "fine 1 full"],
    ["ガード カード", "ガード カード"],
    ["か\u3099", "が"],
    ["한국어", "한국어"],
    ["\u1112\u1161\u11ab국", "한국"],
    ["soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"],
    ["tab\tline\nno\u00a0break", "tab line no break"],
    ["हिन्दी", "हिन्दी"],
    ["👍🏽 ok", "👍🏽 ok"],
  ])("of %j is %j", (text, form) => {
    expect(searchForm(text)).toBe(form);
    expect(searchForm(form)).toBe(form);
  });
});

describe("the words of a query", () => {
  test.each<[query: string, words: string[] | undefined]>([
    ["Lunch  NOON lunch", ["lunch", "noon"]],
    ["a", undefined],
    ["a lunch", undefined],
    ["ab", ["ab"]],
    ["京", ["京"]],
    ["京 ab", ["京", "ab"]],
    ["é", undefined],
    ["👍", undefined],
    ["%", undefined],
    ["100%", ["100%"]],
    ["\\_", ["\\_"]],
    [" \u200b ", undefined],
    ["a1 b2 c3 d4 e5", ["a1", "b2", "c3", "d4", "e5"]],
    ["a1 b2 c3 d4 e5 f6", undefined],
  ])("%j are %j", (query, words) => {
    expect(queryWords(query)).toEqual(words);
  });
});

describe("grams", () => {
  test("of each part of a word are among those of a text with the word", () => {
    const form = searchForm("Grüße aus 東京, Привет 👍🏽👍 x y zz");
    const grams = new Set(gramsOfText(form));
    for (const word of form.split(" ")) {
      const characters = [...word];
      for (let from = 0; from < characters.length; from++) {
        for (let to = from + 1; to <= characters.length; to++) {
          const words = queryWords(characters.slice(from, to).join(""));
          if (words) expect(gramsOfWords(words).filter((gram) => !grams.has(gram))).toEqual([]);
        }
      }
    }
  });

  test("are 32-bit integers, each once", () => {
    const grams = gramsOfText("banana bandana 東東東");
    expect(new Set(grams).size).toBe(grams.length);
    for (const gram of grams) expect(gram | 0).toBe(gram);
  });
});

describe("highlights", () => {
  const marked = (text: string, query: string): string[] | undefined =>
    highlightsOf(text, queryWords(query) ?? [])?.map(([offset, length]) => text.slice(offset, offset + length));

  test.each<[text: string, query: string, marked: string[] | undefined]>([
    ["Lunch at noon?", "lunch", ["Lunch"]],
    ["Brunch or lunch", "unch", ["unch", "unch"]],
    ["Lunch at noon", "noon lunch", ["Lunch", "noon"]],
    ["Lunch at noon", "lunch dinner", undefined],
    ["Crème brûlée", "brulee", ["brûlée"]],
    ["Cre\u0300me", "creme", ["Cre\u0300me"]],
    ["Cre\u0300me", "cr", ["Cr"]],
    ["die Straße hier", "strasse", ["Straße"]],
    ["ﬁnal", "in", ["ﬁn"]],
    ["zero\u200bwidth space", "rowi", ["ro\u200bwi"]],
    ["東京タワー", "京", ["京"]],
    ["Привет, Ёлка", "елка", ["Ёлка"]],
    ["👍🏽 naïve 👍", "naive", ["naïve"]],
    ["overlapping lapping ping", "overlap lapping", ["overlapping", "lapping"]],
    ["100% sure_thing \\o/", "100% e_t \\o", ["100%", "e_t", "\\o"]],
    ["\u1112\u1161\u11ab국", "한국", ["\u1112\u1161\u11ab국"]],
  ])("of %j for %j are %j", (text, query, expected) => {
    expect(marked(text, query)).toEqual(expected);
  });

  test("never leave the text, whatever it contains", () => {
    const alphabet = [..."aAéßﬁ東ガ👍🏽한ıİΣς\u0301\u200b\u1112\u1161 \n%"];
    let state = 7;
    const next = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: 1 + next(12) }, () => alphabet[next(alphabet.length)]).join("");
      const words = queryWords(searchForm(text).slice(next(3), 3 + next(6)));
      if (!words?.every((word) => searchForm(text).includes(word))) continue;
      const ranges = highlightsOf(text, words) ?? [];
      expect(ranges.length).toBeGreaterThan(0);
      let end = -1;
      for (const [offset, length] of ranges) {
        expect(offset).toBeGreaterThan(end);
        expect(length).toBeGreaterThan(0);
        end = offset + length;
        expect(end).toBeLessThanOrEqual(text.length);
      }
    }
  });
});
