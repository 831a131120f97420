/** Keys in one lookup; larger statements gain nothing. */
const defaultBatchSize = 1000;

interface PendingLoad<Row, Key> {
  key: Key;
  resolve: (row: Row | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Looks rows up by key, such as an id, one lookup at a time: keys requested while a lookup is in progress share the next
 * one. Many clients that reconnect at the same moment therefore need only a few statements. Each result comes from a
 * lookup that began after its request.
 */
export class BatchLoader<Row, Key = number> {
  private pending: PendingLoad<Row, Key>[] = [];
  private isRunning = false;

  constructor(
    private readonly lookUp: (keys: Key[]) => Promise<ReadonlyMap<Key, Row>>,
    private readonly maxBatchSize = defaultBatchSize,
  ) {}

  /** Returns the row of this key, or undefined if there is none. */
  load(key: Key): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.pending.push({ key, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.pending.length > 0) {
      const batch = this.pending.splice(0, this.maxBatchSize);
      try {
        const rows = await this.lookUp([...new Set(batch.map(({ key }) => key))]);
        for (const { key, resolve } of batch) resolve(rows.get(key));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isRunning = false;
  }
}
