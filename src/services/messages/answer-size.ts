/** The maximum size of the rows in the answer of a list with a cursor, in bytes. */
export const maxAnswerBytes = 512 * 1024;

/**
 * Returns the first rows that fit into one answer; always at least one, so that clients make progress.
 * @param sizeOf the size of a row in the answer, in bytes
 */
export function rowsThatFit<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): Row[] {
  let bytesLeft = maxAnswerBytes;
  const firstTooMany = rows.findIndex((row, index) => {
    bytesLeft -= sizeOf(row);
    return bytesLeft < 0 && index > 0;
  });
  return firstTooMany < 0 ? [...rows] : rows.slice(0, firstTooMany);
}
