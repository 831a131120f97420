import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { hashOf } from "./random-tokens.ts";
import type { SigningSecrets } from "./tokens.ts";

/*
 * A refresh token is "<session id>.<random part>.<signature>". Only its SHA-256 is stored. The signature proves that
 * the server issued it: a signed token that is neither the current nor the previous one is an old token of that
 * session, whose reuse ends the session. A guessed token has no valid signature and ends nothing.
 *
 * The successor of a token is derived from it with the server's key, so it can be sent again to a client that lost the
 * response, although it is not stored. Without the key, an old token does not reveal its successor.
 *
 * The key follows from JWT_SECRET. Tokens of JWT_SECRET_PREVIOUS are accepted, and replaced by tokens of the new key.
 */

/** Issues and parses refresh tokens. */
export class RefreshTokens {
  /** The key of new tokens, and that of the previous secret. */
  private readonly keys: readonly [Buffer, ...Buffer[]];

  constructor({ secret, previousSecret }: SigningSecrets) {
    this.keys = [keyOf(secret), ...(previousSecret === undefined ? [] : [keyOf(previousSecret)])];
  }

  /** The first token of a session. */
  first(sessionId: number): string {
    return sign(this.keys[0], sessionId, randomBytes(32));
  }

  /** The token that replaces this one; deterministic. */
  successor(token: RefreshToken): string {
    return successorBy(this.keys[0], token);
  }

  /**
   * The token that has replaced this one, perhaps before the secret was changed, or in a process with the other secret.
   * @param hash the stored hash of the successor
   * @returns undefined if it was signed with neither key
   */
  earlierSuccessor(token: RefreshToken, hash: Buffer): string | undefined {
    return this.keys.map((key) => successorBy(key, token)).find((successor) => hashOf(successor).equals(hash));
  }

  /** Returns the parsed token, or undefined if its form or signature is invalid. */
  parse(text: string): RefreshToken | undefined {
    const [, id, random, signature] = /^(\d{1,16})\.([\w-]{43})\.([\w-]{43})$/.exec(text) ?? [];
    if (!id || !random || !signature) return undefined;
    const actual = Buffer.from(signature, "base64url");
    const isSigned = this.keys
      .map((key) => hmac(key, `${id}.${random}`))
      .some((expected) => actual.length === expected.length && timingSafeEqual(actual, expected));
    return isSigned ? { text, sessionId: Number(id) } : undefined;
  }
}

const keyOf = (secret: string): Buffer => Buffer.from(hkdfSync("sha256", secret, "", "messenger refresh tokens", 32));

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

function sign(key: Buffer, sessionId: number, random: Buffer): string {
  const body = `${sessionId}.${random.toString("base64url")}`;
  return `${body}.${hmac(key, body).toString("base64url")}`;
}

const successorBy = (key: Buffer, { sessionId, text }: RefreshToken): string =>
  sign(key, sessionId, hmac(key, `next ${text}`));

/** A refresh token with a valid signature. */
export interface RefreshToken {
  text: string;
  sessionId: number;
}
