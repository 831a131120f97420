import { BaseError, ConnectionError, DatabaseError, TimeoutError } from "sequelize";
import { AppError } from "../errors.ts";

/**
 * SQLSTATE classes in which trying again can help: connection exceptions, transaction rollback (deadlock), lack of
 * resources, operator intervention (shutdown, a cancelled statement), and a lock that was not to be had in time.
 */
const passing = /^(08|40|53|57|55P03)/;

/** What `pg` says, without a code, when the server goes away in the middle of a query. */
const lostConnection =
  /connection terminated|connection ended|not queryable|client has encountered a connection error|query read timeout/i;

const sqlStateOf = (error: DatabaseError): string => ("code" in error.original ? String(error.original.code) : "");

/** Whether the database is away or busy, so that the same request may well succeed later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (error instanceof DatabaseError) {
    const state = sqlStateOf(error);
    return passing.test(state) || /^E[A-Z]+$/.test(state) || lostConnection.test(error.message);
  }
  return error instanceof Error && !(error instanceof BaseError) && lostConnection.test(error.message);
}

/** Whether the server gave this transaction up for another one (a deadlock): then it can simply be run again. */
export const isRetryableRollback = (error: unknown): boolean =>
  error instanceof DatabaseError && /^40(P01|001)$/.test(sqlStateOf(error));

/**
 * Whether it is certain that a statement outside a transaction has stored nothing: there was no connection to send it on,
 * or the server itself said that it failed.
 */
export const isKnownNotCommitted = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof DatabaseError && "severity" in error.original && error.original.severity === "ERROR");

/** Which unique constraint an error is about; undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof BaseError) || !("original" in error)) return undefined;
  const original = error.original as { code?: string; constraint?: string };
  return original.code === "23505" ? original.constraint : undefined;
}

/** Any error as one that may be shown: what the domain said, "try again", or "our fault". */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isTransient(error)) {
    return new AppError("unavailable", "The database cannot be reached right now. Try again.", {
      retryAfterMs: 1000,
      cause: error,
    });
  }
  return new AppError("internal", "Something went wrong on our side", { cause: error });
}
