/*
 * The form in which message texts are searched, and where a match is in the text itself. The form and the grams are stored; a
 * change of either needs a migration that empties `message_texts` and `chat_texts`, which are then filled again.
 */

/** Characters that are a word by themselves in scripts without spaces. */
const ideograph = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** Scripts whose marks are accents or optional points. In others they tell words apart, as in が and か. */
const accentedBase = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}]/u;

/**
 * The parts of a text that are folded independently of each other: ASCII, where each character becomes one; Hangul letters,
 * which compose syllables; any other character with its marks.
 */
const parts = /[\0-\x7f]+(?!\p{M})|[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+|\P{M}\p{M}*|\p{M}+/gu;

const isAscii = (text: string): boolean => text.charCodeAt(0) < 0x80 && text.charCodeAt(text.length - 1) < 0x80;

/** Returns the form of a text that is searched: NFKC, with folded case, without accents and invisible characters. */
export const searchForm = (text: string): string => text.replace(parts, foldPart);

function foldPart(part: string): string {
  if (isAscii(part)) return part.toLowerCase().replace(/\s/g, " ");
  const decomposed = part.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  const base = accentedBase.test(decomposed) ? decomposed.replace(/\p{M}/gu, "") : decomposed;
  return foldCase(base).normalize("NFKC").replace(/\s/g, " ");
}

/** The two steps make ß and SS equal, and both small forms of Σ. */
const foldCase = (text: string): string => text.toUpperCase().toLowerCase().replaceAll("ς", "σ");

/** The words of a text in the search form. */
const wordsOf = (form: string): string[] => form.split(" ").filter((word) => word !== "");

/** The most words of a query. */
export const maxQueryWords = 5;

/** Returns the words of a query, or undefined if they cannot be searched: there are none, too many, or one is too short. */
export function queryWords(query: string): string[] | undefined {
  const words = [...new Set(wordsOf(searchForm(query)))];
  const areLongEnough = words.every((word) => [...word].length > 1 || ideograph.test(word));
  return words.length > 0 && words.length <= maxQueryWords && areLongEnough ? words : undefined;
}

/**
 * Returns hashes of all grams of a text in the search form: sequences of two and three characters of a word, and single
 * ideographs. A word that is part of the text has only grams of the text.
 */
export function gramsOfText(form: string): number[] {
  const grams = new Set<number>();
  for (const word of wordsOf(form)) {
    const characters = [...word];
    characters.forEach((character, index) => {
      if (ideograph.test(character)) grams.add(hash(character));
      for (const length of [2, 3]) {
        if (index + length <= characters.length) grams.add(hash(characters.slice(index, index + length).join("")));
      }
    });
  }
  return [...grams];
}

/** Returns hashes of grams that a text must have to contain all these words. */
export function gramsOfWords(words: readonly string[]): number[] {
  const grams = words.flatMap((word) => {
    const characters = [...word];
    const length = Math.min(3, characters.length);
    return characters
      .slice(0, characters.length - length + 1)
      .map((_, index) => hash(characters.slice(index, index + length).join("")));
  });
  return [...new Set(grams)];
}

/** FNV-1a of the UTF-16 units, as a signed 32-bit integer. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}

/** Where a part of a text begins, in the text and in its search form. */
interface Part {
  start: number;
  formStart: number;
  length: number;
  /** Each unit of the form is one unit of the text. */
  isAligned: boolean;
}

/**
 * Returns where the words of a query are in a text, as offset and length in UTF-16 units, by rising offset and without
 * overlaps; undefined if the text does not contain all of them.
 */
export function highlightsOf(text: string, words: readonly string[]): [offset: number, length: number][] | undefined {
  const form = searchForm(text);
  if (!words.every((word) => form.includes(word))) return undefined;
  const aligned = partsOf(text);
  const ranges = words
    .flatMap((word) => occurrences(form, word).map((start) => originalRange(aligned, start, start + word.length)))
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged.map(({ start, end }) => [start, end - start]);
}

function partsOf(text: string): Part[] {
  let formStart = 0;
  return [...text.matchAll(parts)].map(({ 0: part, index }) => {
    const start = formStart;
    formStart += foldPart(part).length;
    return { start: index, formStart: start, length: part.length, isAligned: isAscii(part) };
  });
}

function occurrences(form: string, word: string): number[] {
  const found: number[] = [];
  for (let at = form.indexOf(word); at >= 0; at = form.indexOf(word, at + word.length)) found.push(at);
  return found;
}

/** The range of a text that a range of its form comes from; of a part whose units do not correspond, the whole part. */
function originalRange(all: readonly Part[], from: number, to: number): { start: number; end: number } {
  const first = partAt(all, from);
  const last = partAt(all, to - 1);
  return {
    start: first.isAligned ? first.start + from - first.formStart : first.start,
    end: last.isAligned ? last.start + to - last.formStart : last.start + last.length,
  };
}

/** The last part that begins at or before an offset of the form, by binary search. Parts with an empty form come before. */
function partAt(all: readonly Part[], offset: number): Part {
  let low = 0;
  let high = all.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((all[middle]?.formStart ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const part = all[low];
  if (!part) throw new Error("the text has no such part");
  return part;
}
