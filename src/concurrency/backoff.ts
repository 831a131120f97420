/** Returns the pause before a retry, in milliseconds: it doubles with each attempt, counted from 0, up to `maxMs`. */
export const exponentialBackoff =
  ({ firstMs, maxMs }: { firstMs: number; maxMs: number }) =>
  (attempt: number): number =>
    Math.min(maxMs, firstMs * 2 ** attempt);
