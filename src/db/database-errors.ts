import { BaseError, ConnectionError, DatabaseError, TimeoutError } from "sequelize";
import { AppError } from "../errors.ts";

/**
 * SQLSTATE classes in which a retry can succeed: connection exception, transaction rollback (deadlock), insufficient
 * resources, operator intervention (shutdown, cancelled statement), and lock not available.
 */
const transientStates = /^(08|40|53|57|55P03)/;

/** Messages of `pg`, without a code, when the connection is lost during a query. */
const lostConnection =
  /connection terminated|connection ended|not queryable|client has encountered a connection error|query read timeout/i;

const sqlStateOf = (error: DatabaseError): string => ("code" in error.original ? String(error.original.code) : "");

/** Whether the database is unavailable or overloaded, so that a retry can succeed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (error instanceof DatabaseError) {
    const state = sqlStateOf(error);
    return transientStates.test(state) || /^E[A-Z]+$/.test(state) || lostConnection.test(error.message);
  }
  return error instanceof Error && !(error instanceof BaseError) && lostConnection.test(error.message);
}

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
