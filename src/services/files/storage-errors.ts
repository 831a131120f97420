import { AppError } from "../../errors.ts";
import { StorageFullError, StorageUnavailableError } from "../../files/storage.ts";
import type { Logger } from "../../logger.ts";

const retryAfterMs = 5000;

/** The error for users when the storage of files fails; any other error as it is. The log has the cause. */
export function asUserError(error: unknown, log: Logger): unknown {
  if (error instanceof StorageFullError) {
    log.error({ err: error }, "there is no space for files");
    return new AppError("storageFull", "The server has no space for files now", { retryAfterMs: 60_000, cause: error });
  }
  if (error instanceof StorageUnavailableError) {
    log.error({ err: error }, "the storage of files is unavailable");
    return new AppError("unavailable", "The storage of files does not answer. Try again.", {
      retryAfterMs,
      cause: error,
    });
  }
  return error;
}
