import type { Database } from "./connect.ts";
import { readEpoch } from "./queries/epoch.ts";
import { selectOn } from "./select.ts";
import type { SelectRows } from "./select-rows.ts";

/** Moves this process to the database as it is now. The statements run on a connection to it. */
type BeginEpoch = (selectRows: SelectRows) => Promise<void>;

/**
 * The epoch of the database in which this process works. Another one means that the database was restored, or that a
 * standby took its place: what was read before may not have happened.
 */
export class EpochMonitor {
  private epoch: string | undefined;
  private beginning: Promise<void> | undefined;
  private onChange: BeginEpoch = async () => {};

  /** Undefined before the first connection. */
  get current(): string | undefined {
    return this.epoch;
  }

  /** Sets the function to call when the epoch has changed. If it rejects, the change is found again. */
  whenChanged(onChange: BeginEpoch): void {
    this.onChange = onChange;
  }

  /**
   * Reads the epoch on a connection. After a change, resolves only when this process has moved to the new one, so that a
   * connection that waits for it is not used before.
   */
  readonly check = async (selectRows: SelectRows): Promise<void> => {
    const found = await readEpoch(selectRows);
    if (found !== this.epoch) this.begin(found, selectRows);
    await this.beginning;
  };

  /** The same on connections of the pool. */
  async checkPool(database: Database): Promise<void> {
    if ((await readEpoch(selectOn(database))) === this.epoch) return;
    // The statements of a change need one connection: another one would wait for the change before it can be used.
    await database.transaction((transaction) => this.check(selectOn(database, transaction)));
  }

  private begin(epoch: string, selectRows: SelectRows): void {
    const previous = this.epoch;
    this.epoch = epoch;
    if (previous === undefined) return;
    this.beginning = this.onChange(selectRows)
      .catch((error) => {
        this.epoch = previous;
        throw error;
      })
      .finally(() => {
        this.beginning = undefined;
      });
  }
}
