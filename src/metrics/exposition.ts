import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from "prom-client";
import type { Sample, Samples } from "./counters.ts";
import type { Distributions } from "./distribution.ts";

/** Before the names of all metrics but those of Node and of the process. */
const prefix = "messenger_";

/** Shows metrics in the format of Prometheus. Each is read when it is shown. `help` is for administrators. */
export class Exposition {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics as text. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  addCounter(name: string, help: string, counter: Samples): void {
    new PromCounter({
      name: prefix + name,
      help,
      labelNames: [...counter.labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of counter.samples()) this.inc(labels, value);
      },
    });
  }

  /** @param read returns nothing as long as there is no value */
  addGauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<Sample> | Promise<Iterable<Sample>>,
  ): void {
    new PromGauge({
      name: prefix + name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      async collect() {
        const samples = [...(await read())];
        this.reset();
        // After a reset, a gauge without labels is 0.
        if (samples.length === 0 && labelNames.length === 0) this.remove();
        for (const { labels, value } of samples) this.set(labels, value);
      },
    });
  }

  addHistogram(name: string, help: string, distributions: Distributions): void {
    this.registry.registerMetric(new ObservedHistogram(prefix + name, help, distributions));
  }
}

/** A histogram whose values are counted elsewhere. */
class ObservedHistogram extends PromHistogram {
  constructor(
    private readonly metricName: string,
    private readonly metricHelp: string,
    private readonly distributions: Distributions,
  ) {
    const { labelNames, bounds } = distributions;
    super({ name: metricName, help: metricHelp, labelNames: [...labelNames], buckets: [...bounds], registers: [] });
  }

  /** What the registry shows. It is missing in the published types. */
  async getForPromString() {
    return { name: this.metricName, help: this.metricHelp, type: "histogram", values: [...this.values()] };
  }

  private *values() {
    const { metricName: name, distributions } = this;
    for (const { labels, cumulative, count, sum } of distributions.samples()) {
      for (const [index, bound] of distributions.bounds.entries()) {
        yield { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: cumulative[index] ?? 0 };
      }
      yield { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count };
      yield { metricName: `${name}_sum`, labels, value: sum };
      yield { metricName: `${name}_count`, labels, value: count };
    }
  }
}
