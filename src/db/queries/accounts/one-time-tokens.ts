import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/* Expiry is set and compared by the clock of the database: the processes may disagree about the time. */

/** What a one-time token is for. */
export type OneTimeTokenKind = "setup" | "password" | "email";

/** To whom a one-time token belongs. */
export interface TokenHolder {
  /** Null for the set-up: there is no account yet. */
  userId: number | null;
  /** The address to which the token was mailed; null if it was handed out. A token of kind "email" confirms it. */
  email: string | null;
}

/** Stores a token, and ends the earlier ones of the same kind and user. @returns when it expires */
export async function replaceOneTimeToken(
  database: Database,
  token: TokenHolder & { kind: OneTimeTokenKind; tokenHash: Buffer; lifetimeMs: number },
  transaction: Transaction,
): Promise<Date> {
  const { kind, userId } = token;
  await select(
    database,
    "DELETE FROM one_time_tokens WHERE kind = $kind AND user_id IS NOT DISTINCT FROM $userId::bigint",
    { kind, userId },
    transaction,
  );
  const [row] = await select<{ expiresAt: Date }>(
    database,
    `INSERT INTO one_time_tokens (kind, user_id, email, token_hash, expires_at)
     VALUES ($kind, $userId, $email, $tokenHash, clock_timestamp() + make_interval(secs => $lifetimeMs / 1000.0))
  RETURNING expires_at AS "expiresAt"`,
    { ...token },
    transaction,
  );
  if (!row) throw new Error("the token was not stored");
  return row.expiresAt;
}

/** Returns the holder of a token without using it up; undefined if it is unknown, used or expired. */
export async function holderOfOneTimeToken(
  database: Database,
  { kind, tokenHash }: { kind: OneTimeTokenKind; tokenHash: Buffer },
): Promise<TokenHolder | undefined> {
  const [row] = await select<TokenHolder>(
    database,
    `SELECT user_id AS "userId", email FROM one_time_tokens
      WHERE kind = $kind AND token_hash = $tokenHash AND expires_at > clock_timestamp()`,
    { kind, tokenHash },
  );
  return row;
}

/** Uses up a token. @returns its holder; undefined if it is unknown, used or expired */
export async function takeOneTimeToken(
  database: Database,
  { kind, tokenHash }: { kind: OneTimeTokenKind; tokenHash: Buffer },
  transaction: Transaction,
): Promise<TokenHolder | undefined> {
  const [row] = await select<TokenHolder & { isValid: boolean }>(
    database,
    `DELETE FROM one_time_tokens WHERE kind = $kind AND token_hash = $tokenHash
  RETURNING user_id AS "userId", email, expires_at > clock_timestamp() AS "isValid"`,
    { kind, tokenHash },
    transaction,
  );
  return row?.isValid ? { userId: row.userId, email: row.email } : undefined;
}

/** Ends all one-time tokens of a user. Called when the password or the e-mail address changes. */
export async function endOneTimeTokens(database: Database, userId: number, transaction: Transaction): Promise<void> {
  await select(database, "DELETE FROM one_time_tokens WHERE user_id = $userId", { userId }, transaction);
}

/** Deletes what has expired. Index: one_time_tokens_expires_at. */
export async function purgeOneTimeTokens(database: Database): Promise<void> {
  await select(database, "DELETE FROM one_time_tokens WHERE expires_at < clock_timestamp()", {});
}
