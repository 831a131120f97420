/** More than one statement should be given. */
const mostAtOnce = 1000;

interface Asked<Found> {
  id: number;
  resolve: (found: Found | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * Looks rows up for many askers at once: what is asked while a look is under way goes into the next one, so that a crowd
 * that comes back at the same moment shares a few statements. Whoever asks is answered by a look that began afterwards.
 */
export class BatchLoader<Found> {
  private asked: Asked<Found>[] = [];
  private isLooking = false;

  constructor(private readonly lookUp: (ids: number[]) => Promise<ReadonlyMap<number, Found>>) {}

  /** What is found under this id; undefined where there is nothing. */
  load(id: number): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      this.asked.push({ id, resolve, reject });
      if (!this.isLooking) void this.look();
    });
  }

  private async look(): Promise<void> {
    this.isLooking = true;
    while (this.asked.length > 0) {
      const some = this.asked.splice(0, mostAtOnce);
      try {
        const found = await this.lookUp([...new Set(some.map(({ id }) => id))]);
        for (const { id, resolve } of some) resolve(found.get(id));
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.isLooking = false;
  }
}
