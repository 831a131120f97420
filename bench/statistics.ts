/** The value in the middle. */
export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** The value below which this share of the values lies, which have to be rising. */
export function quantile(rising: ArrayLike<number>, share: number): number {
  const index = Math.min(rising.length - 1, Math.floor(rising.length * share));
  return rising[index] ?? Number.NaN;
}
