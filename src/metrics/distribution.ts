/** The distribution of observed values with certain labels. */
export interface DistributionSample {
  labels: Readonly<Record<string, string>>;
  /** How many values are at most each of the bounds. */
  cumulative: readonly number[];
  count: number;
  sum: number;
}

/** Distributions with labels that are read from time to time. */
export interface Distributions {
  readonly labelNames: readonly string[];
  readonly bounds: readonly number[];
  samples(): Iterable<DistributionSample>;
}

/** Observed values, counted in buckets. */
export class Distribution implements Distributions {
  readonly labelNames = [];
  /** Values up to each bound and above the one before; the last number is of those above all bounds. */
  private readonly counts: number[];
  private sum = 0;

  /** @param bounds ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index++;
    counts[index] = (counts[index] ?? 0) + 1;
    this.sum += value;
  }

  *samples(labels: Readonly<Record<string, string>> = {}): Iterable<DistributionSample> {
    let count = 0;
    const cumulative: number[] = [];
    for (const inBucket of this.counts) {
      count += inBucket;
      cumulative.push(count);
    }
    yield { labels, cumulative: cumulative.slice(0, -1), count, sum: this.sum };
  }
}

/** A distribution for each value of a label. There must be few values, and no client may choose them. */
export class DistributionBy implements Distributions {
  readonly labelNames: readonly [string];
  private readonly distributions = new Map<string, Distribution>();

  constructor(
    label: string,
    readonly bounds: readonly number[],
  ) {
    this.labelNames = [label];
  }

  observe(labelValue: string, value: number): void {
    let distribution = this.distributions.get(labelValue);
    if (!distribution) {
      distribution = new Distribution(this.bounds);
      this.distributions.set(labelValue, distribution);
    }
    distribution.observe(value);
  }

  *samples(): Iterable<DistributionSample> {
    const [label] = this.labelNames;
    for (const [value, distribution] of this.distributions) yield* distribution.samples({ [label]: value });
  }
}
