import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

/*
 * A refresh token is "<session id>.<random part>.<signature>". Only its SHA-256 is stored. The signature proves that
 * the server issued it: a signed token that is neither the current nor the previous one is an old token of that
 * session, whose reuse ends the session. A guessed token has no valid signature and ends nothing.
 *
 * The successor of a token is derived from it with the server's key, so it can be sent again to a client that lost the
 * response, although it is not stored. Without the key, an old token does not reveal its successor.
 */

/** Issues and parses refresh tokens. */
export class RefreshTokens {
  private readonly key: Buffer;

  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync("sha256", secret, "", "messenger refresh tokens", 32));
  }

  /** The first token of a session. */
  first(sessionId: number): string {
    return this.sign(sessionId, randomBytes(32));
  }

  /** The token that replaces this one; deterministic. */
  successor(token: RefreshToken): string {
    return this.sign(token.sessionId, this.hmac(`next ${token.text}`));
  }

  /** Returns the parsed token, or undefined if its form or signature is invalid. */
  parse(text: string): RefreshToken | undefined {
    const [, id, random, signature] = /^(\d{1,16})\.([\w-]{43})\.([\w-]{43})$/.exec(text) ?? [];
    if (!id || !random || !signature) return undefined;
    const expected = this.hmac(`${id}.${random}`);
    const actual = Buffer.from(signature, "base64url");
    if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined;
    return { text, sessionId: Number(id) };
  }

  private sign(sessionId: number, random: Buffer): string {
    const body = `${sessionId}.${random.toString("base64url")}`;
    return `${body}.${this.hmac(body).toString("base64url")}`;
  }

  private hmac(text: string): Buffer {
    return createHmac("sha256", this.key).update(text).digest();
  }
}

/** A refresh token with a valid signature. */
export interface RefreshToken {
  text: string;
  sessionId: number;
}

/** The form in which a token is stored. */
export const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();
