import { AppError } from "../errors.ts";

/** One page of a list. */
export interface Page<T> {
  data: T[];
  /** The cursor of the next page; null on the last page. */
  nextCursor: string | null;
}

/** Makes a page of rows, of which one more than the limit was read to learn whether there is a next page. */
export function toPage<T>(rows: readonly T[], limit: number, positionOf: (row: T) => unknown): Page<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const nextCursor =
    rows.length > limit && last !== undefined
      ? Buffer.from(JSON.stringify(positionOf(last))).toString("base64url")
      : null;
  return { data, nextCursor };
}

/** Decodes a cursor; clients can send anything. */
export function readCursor<T>(cursor: string, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (isValid(value)) return value;
  } catch {
    // Rejected below, like every other invalid cursor.
  }
  throw new AppError("validation", '"cursor" must be the one that came with the previous page', { field: "cursor" });
}

export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
