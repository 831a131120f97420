/** Ids in one lookup; larger statements gain nothing. */
const maxBatchSize = 1000;

interface PendingLoad<Row> {
  id: number;
  resolve: (row: Row | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Looks rows up by id, one lookup at a time: ids requested while a lookup is in progress share the next one. Many
 * clients that reconnect at the same moment therefore need only a few statements. Each result comes from a lookup that
 * began after its request.
 */
export class BatchLoader<Row> {
  private pending: PendingLoad<Row>[] = [];
  private isRunning = false;

  constructor(private readonly lookUp: (ids: number[]) => Promise<ReadonlyMap<number, Row>>) {}

  /** Returns the row with this id, or undefined if there is none. */
  load(id: number): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.pending.push({ id, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.pending.length > 0) {
      const batch = this.pending.splice(0, maxBatchSize);
      try {
        const rows = await this.lookUp([...new Set(batch.map(({ id }) => id))]);
        for (const { id, resolve } of batch) resolve(rows.get(id));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isRunning = false;
  }
}
