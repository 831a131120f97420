import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

/*
 * A refresh token is "<session id>.<random part>.<signature>". Only its SHA-256 is stored. The signature says that we
 * made it, so that a token which is neither the current one nor the one before is known to be an old one of that
 * session (and the session is ended), and not somebody's guess (which must not end anybody's session).
 *
 * The successor of a token is computed from it, with the server's key: so that it can be given again to a client that
 * lost the answer, although it is stored nowhere. Without the key an old token does not lead to the next.
 */

export class RefreshTokens {
  private readonly key: Buffer;

  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync("sha256", secret, "", "messenger refresh tokens", 32));
  }

  /** The first token of a session. */
  first(sessionId: number): string {
    return this.signed(sessionId, randomBytes(32));
  }

  /** The token that replaces this one: always the same. */
  successor(token: RefreshToken): string {
    return this.signed(token.sessionId, this.hmac(`next ${token.text}`));
  }

  /** The token if we made it, undefined for anything else. */
  parse(text: string): RefreshToken | undefined {
    const [, id, random, signature] = /^(\d{1,16})\.([\w-]{43})\.([\w-]{43})$/.exec(text) ?? [];
    if (!id || !random || !signature) return undefined;
    const expected = this.hmac(`${id}.${random}`);
    const given = Buffer.from(signature, "base64url");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return { text, sessionId: Number(id) };
  }

  private signed(sessionId: number, random: Buffer): string {
    const body = `${sessionId}.${random.toString("base64url")}`;
    return `${body}.${this.hmac(body).toString("base64url")}`;
  }

  private hmac(text: string): Buffer {
    return createHmac("sha256", this.key).update(text).digest();
  }
}

/** A refresh token that bears our signature. */
export interface RefreshToken {
  text: string;
  sessionId: number;
}

/** What is stored of a token. */
export const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();
