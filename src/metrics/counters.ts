/** A value and the labels that it has. */
export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** Numbers with labels that are read from time to time. */
export interface Samples {
  readonly labelNames: readonly string[];
  samples(): Iterable<Sample>;
}

/*
 * What happens for every message is counted in plain numbers, and handed to prom-client only when somebody reads the
 * metrics: prom-client validates and hashes the labels of each count, which would take 3 % of the time of a message.
 */

/** A number that only grows. */
export class Counter implements Samples {
  readonly labelNames = [];
  private count = 0;

  add(amount = 1): void {
    this.count += amount;
  }

  *samples(): Iterable<Sample> {
    yield { labels: {}, value: this.count };
  }
}

/** A number for each value of a label. There must be few values, and no client may choose them. */
export class CounterBy implements Samples {
  readonly labelNames: readonly [string];
  private readonly counts: Map<string, number>;

  /** @param known values that are shown from the start, so that their first count is visible as an increase */
  constructor(label: string, known: readonly string[] = []) {
    this.labelNames = [label];
    this.counts = new Map(known.map((value) => [value, 0]));
  }

  add(value: string, amount = 1): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + amount);
  }

  *samples(): Iterable<Sample> {
    const [label] = this.labelNames;
    for (const [value, count] of this.counts) yield { labels: { [label]: value }, value: count };
  }
}

/** A number for each pair of values of two labels. */
export class CounterByTwo implements Samples {
  private readonly counters = new Map<string, CounterBy>();

  constructor(readonly labelNames: readonly [string, string]) {}

  add(first: string, second: string): void {
    let counter = this.counters.get(first);
    if (!counter) {
      counter = new CounterBy(this.labelNames[1]);
      this.counters.set(first, counter);
    }
    counter.add(second);
  }

  *samples(): Iterable<Sample> {
    const [name] = this.labelNames;
    for (const [first, counter] of this.counters) {
      for (const { labels, value } of counter.samples()) yield { labels: { [name]: first, ...labels }, value };
    }
  }
}
