/** A piece of a text, and whether it was searched for. */
export interface Piece {
  text: string;
  isMarked: boolean;
}

const maxBefore = 40;
const maxLength = 160;

/**
 * The part of a found text around its first match, in pieces.
 * @param highlights offset and length of each match, by rising offset
 */
export function excerptOf(text: string, highlights: readonly (readonly number[])[]): Piece[] {
  const first = highlights[0]?.[0] ?? 0;
  const start = first > maxBefore ? first - maxBefore : 0;
  const end = Math.min(text.length, start + maxLength);
  const pieces: Piece[] = [];
  let at = start;
  for (const [offset = 0, length = 0] of highlights) {
    const [from, to] = [Math.min(Math.max(offset, at), end), Math.min(offset + length, end)];
    if (to <= from) continue;
    pieces.push({ text: text.slice(at, from), isMarked: false }, { text: text.slice(from, to), isMarked: true });
    at = to;
  }
  pieces.push({ text: text.slice(at, end), isMarked: false });
  // Cut surrogate pairs are not shown.
  const shown = pieces.map(({ text: piece, isMarked }) => ({ text: piece.replace(/\p{Surrogate}/gu, ""), isMarked }));
  return [
    ...(start > 0 ? [{ text: "…", isMarked: false }] : []),
    ...shown.filter((piece) => piece.text !== ""),
    ...(end < text.length ? [{ text: "…", isMarked: false }] : []),
  ];
}
