import { AppError } from "../../errors.ts";
import { StorageFullError, StorageUnavailableError } from "../../files/storage.ts";
import { type FailureLog, type Logger, logFailures } from "../../logger.ts";

const retryAfterMs = 5000;
const retryWhenFullMs = 60_000;

/** Logs the start and the end of each outage of the storage of files, and tells users of it. */
export class StorageOutages {
  private readonly unavailable: FailureLog;
  private readonly full: FailureLog;

  constructor(log: Logger) {
    this.unavailable = logFailures(log, {
      warning: "the storage of files is unavailable",
      recovery: "the storage of files works again",
      isLogged: (error) => error instanceof StorageUnavailableError,
    });
    this.full = logFailures(log, {
      warning: "there is no space for files",
      recovery: "there is space for files again",
      isLogged: (error) => error instanceof StorageFullError,
    });
  }

  /**
   * Reads from the storage.
   * @throws AppError of kind "unavailable" during an outage, or the error of `operation`
   */
  async reading<T>(operation: () => Promise<T>): Promise<T> {
    try {
      const result = await operation();
      this.unavailable.succeeded();
      return result;
    } catch (error) {
      this.unavailable.failed(error);
      throw asUserError(error);
    }
  }

  /**
   * Writes to the storage.
   * @throws AppError of kind "unavailable" during an outage, or "storageFull", or the error of `operation`
   */
  writing<T>(operation: () => Promise<T>): Promise<T> {
    return this.reading(async () => {
      try {
        const result = await operation();
        this.full.succeeded();
        return result;
      } catch (error) {
        this.full.failed(error);
        throw error;
      }
    });
  }
}

function asUserError(error: unknown): unknown {
  if (error instanceof StorageFullError) {
    return new AppError("storageFull", "The server has no space for files now", {
      retryAfterMs: retryWhenFullMs,
      cause: error,
    });
  }
  if (error instanceof StorageUnavailableError) {
    return new AppError("unavailable", "The storage of files does not answer. Try again.", {
      retryAfterMs,
      cause: error,
    });
  }
  return error;
}
