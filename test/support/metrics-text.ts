/** Metrics in the format of Prometheus, as a server shows them. */
export class MetricsText {
  /** By name and labels as they are written, such as `messenger_pushes_total` or `x{code="1000"}`. */
  private readonly samples = new Map<string, number>();
  /** The names of the metrics. */
  readonly names: readonly string[];

  constructor(readonly text: string) {
    this.names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
    for (const [, sample = "", value = ""] of text.matchAll(/^([a-z]\S*(?:\{.*\})?) (\S+)$/gim)) {
      this.samples.set(sample, Number(value));
    }
  }

  /** The value of a sample; undefined if there is none. */
  value(sample: string): number | undefined {
    return this.samples.get(sample);
  }

  /** All values that a label has. */
  labelValues(label: string): string[] {
    const values = [...this.text.matchAll(new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`, "g"))];
    return [...new Set(values.map(([, value = ""]) => value))].sort();
  }
}

/** Reads the metrics of a server. */
export async function readMetrics(url: string, headers: Record<string, string> = {}): Promise<MetricsText> {
  const response = await fetch(url, { headers });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return new MetricsText(await response.text());
}
