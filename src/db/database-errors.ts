import { BaseError, ConnectionAcquireTimeoutError, ConnectionError, DatabaseError, TimeoutError } from "sequelize";
import { AppError } from "../errors.ts";

/**
 * SQLSTATEs in which a retry can succeed: connection exception, read-only transaction (after a failover), session or
 * transaction ended for being idle or long, transaction rollback (deadlock), insufficient resources (disk full, out of
 * memory, too many connections), lock not available, operator intervention (starting up, shutting down, cancelled
 * statement), and input/output error.
 */
const transientStates = /^(08|25006|25P03|25P04|40|53|55P03|57|58030)/;

/** Those of them that say that the database as a whole cannot serve, not that one statement was unlucky. */
const outageStates = /^(08|25006|53[0-3]|57P0[1-4]|58030)/;

/** Those of them after which other connections to the same server are useless too: it stops, or is no longer the primary. */
const lostServerStates = /^(08|25006|57P0[1-3])/;

/** Messages of `pg`, without a code, when the connection is lost during a query. */
const lostConnection =
  /connection terminated|connection ended|not queryable|client has encountered a connection error|query read timeout/i;

/** Messages of a connection that is closed while it is being opened, by a server that is just going away. */
const resetConnection = /ECONNRESET|EPIPE|terminated unexpectedly/;

/** Messages of PostgreSQL and PGlite whose SQLSTATE does not say that the database cannot serve now. */
const cannotServe = /not currently accepting connections|recovery is in progress|no space left on device/i;

/** Error codes of the operating system, such as ECONNRESET. */
const systemError = /^E[A-Z]+$/;

/** The error of `pg` or of the operating system in an error of Sequelize; any other error as it is. */
export const originalOf = (error: unknown): unknown =>
  error instanceof BaseError && "original" in error ? error.original : error;

const sqlStateOf = (error: DatabaseError): string => ("code" in error.original ? String(error.original.code) : "");

/** Whether the database is unavailable or overloaded, so that a retry can succeed. */
export function isTransient(error: unknown): boolean {
  if (isOutage(error) || error instanceof TimeoutError) return true;
  return error instanceof DatabaseError && transientStates.test(sqlStateOf(error));
}

/** Whether the error shows that the database cannot serve at all now, rather than that one statement was unlucky. */
export function isOutage(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (error instanceof DatabaseError) {
    const state = sqlStateOf(error);
    return (
      outageStates.test(state) ||
      systemError.test(state) ||
      lostConnection.test(error.message) ||
      cannotServe.test(error.message)
    );
  }
  return error instanceof Error && !(error instanceof BaseError) && lostConnection.test(error.message);
}

/** Whether the error shows that the server behind the pooled connections is gone, or no longer the primary. */
export function isLostServer(error: unknown): boolean {
  if (error instanceof ConnectionError) return resetConnection.test(reasonOf(error));
  if (!(error instanceof DatabaseError)) return isOutage(error);
  const state = sqlStateOf(error);
  return lostServerStates.test(state) || systemError.test(state) || lostConnection.test(error.message);
}

/** Whether the database rejected a write because its disk is full. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof DatabaseError && (sqlStateOf(error) === "53100" || /no space left/i.test(error.message));

/** The reason of an outage for the log: the message of PostgreSQL or of the operating system, without SQL or values. */
export function reasonOf(error: unknown): string {
  if (error instanceof ConnectionAcquireTimeoutError) return "no connection of the pool became free in time";
  const original = originalOf(error);
  if (original instanceof AggregateError) return original.errors.map(reasonOf).join("; ");
  if (!(original instanceof Error)) return String(original);
  return original.message || ("code" in original ? String(original.code) : original.name);
}

/** Whether a statement did not get a lock in time. */
export const isLockTimeout = (error: unknown): boolean =>
  error instanceof DatabaseError && sqlStateOf(error) === "55P03";

/** Whether the server rolled the transaction back because of a deadlock or serialization failure: run it again. */
export const isRetryableRollback = (error: unknown): boolean =>
  error instanceof DatabaseError && /^40(P01|001)$/.test(sqlStateOf(error));

/**
 * Whether a statement outside a transaction certainly stored nothing: there was no connection to send it on, or the
 * server reported its failure.
 */
export const isKnownNotCommitted = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof DatabaseError && "severity" in error.original && error.original.severity === "ERROR");

/** Returns the unique constraint that was violated, or undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof BaseError) || !("original" in error)) return undefined;
  const original = error.original as { code?: string; constraint?: string };
  return original.code === "23505" ? original.constraint : undefined;
}

/** Converts any error to one that can be shown to clients: an AppError as it is, "unavailable", or "internal". */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isTransient(error)) {
    return new AppError("unavailable", "The database is temporarily unavailable. Try again.", {
      retryAfterMs: 1000,
      cause: error,
    });
  }
  return new AppError("internal", "Internal server error", { cause: error });
}
