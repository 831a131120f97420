import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import {
  holderOfOneTimeToken,
  type OneTimeTokenKind,
  replaceOneTimeToken,
  type TokenHolder,
  takeOneTimeToken,
} from "../../db/queries/accounts/one-time-tokens.ts";
import { confirmEmail } from "../../db/queries/accounts/verification.ts";
import { AppError } from "../../errors.ts";
import { hashOf, newToken } from "./random-tokens.ts";

/** How long a link with a one-time token works, in milliseconds. Confirming an address gives nobody access. */
const lifetimesMs: Readonly<Record<OneTimeTokenKind, number>> = {
  setup: 30 * 60_000,
  password: 30 * 60_000,
  email: 24 * 60 * 60_000,
};

/** A token as it is given to its holder, once: only its hash is stored. */
export interface OneTimeToken {
  token: string;
  expiresAt: Date;
}

/** Makes a token that works once, for the lifetime of its kind. Earlier ones of the same kind and user stop working. */
export async function issueOneTimeToken(
  database: Database,
  { kind, userId = null, email = null }: { kind: OneTimeTokenKind } & Partial<TokenHolder>,
  transaction: Transaction,
): Promise<OneTimeToken> {
  const token = newToken();
  const stored = { kind, userId, email, tokenHash: hashOf(token), lifetimeMs: lifetimesMs[kind] };
  return { token, expiresAt: await replaceOneTimeToken(database, stored, transaction) };
}

/**
 * Returns the holder of a token that would work now, without using it up: before work that only valid tokens may cause.
 * @throws AppError of kind "tokenInvalid"
 */
export async function findOneTimeToken(
  database: Database,
  { kind, token }: { kind: OneTimeTokenKind; token: string },
): Promise<TokenHolder> {
  const holder = await holderOfOneTimeToken(database, { kind, tokenHash: hashOf(token) });
  if (!holder) throw tokenInvalid();
  return holder;
}

/**
 * Uses up a token. One that was mailed confirms the address of the account, if it still is the one that it was mailed to.
 * @throws AppError of kind "tokenInvalid", the same for one that is unknown, used or expired
 */
export async function useOneTimeToken(
  database: Database,
  { kind, token }: { kind: OneTimeTokenKind; token: string },
  transaction: Transaction,
): Promise<TokenHolder> {
  const holder = await takeOneTimeToken(database, { kind, tokenHash: hashOf(token) }, transaction);
  if (!holder) throw tokenInvalid();
  const { userId, email } = holder;
  if (userId !== null && email !== null) await confirmEmail(database, { userId, email }, transaction);
  return holder;
}

export const tokenInvalid = () =>
  new AppError("tokenInvalid", "This link has expired or was used already. Ask for a new one");
