import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import type { Claims } from "../../domain/session.ts";
import { AppError, StartError } from "../../errors.ts";

const issuer = "messenger";

/** One answer for every token that does not hold, whatever is wrong with it. */
export const notLoggedIn = () => new AppError("unauthenticated", "A valid token is required: log in");

/** Access tokens: JWT, HS256 and nothing else, naming the user and the session and no names. */
export class Tokens {
  constructor(private readonly options: { secret: string; lifetimeSeconds: number }) {}

  issue(identity: { userId: number; sessionId: number }): { token: string; expiresAt: Date } {
    const { userId, sessionId } = identity;
    const { secret, lifetimeSeconds } = this.options;
    const now = Math.floor(Date.now() / 1000);
    const exp = now + lifetimeSeconds;
    const token = jwt.sign({ sub: String(userId), id: userId, sid: sessionId, iat: now, exp }, secret, {
      algorithm: "HS256",
      issuer,
      audience: issuer,
    });
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** @throws AppError of kind "unauthenticated" */
  verify(token: string): Claims {
    const { header, payload } = this.decode(token);
    if (header.typ !== "JWT" || typeof payload === "string") throw notLoggedIn();
    const { sub, id, sid, exp = Number.NaN } = payload;
    const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
    // Without an end, or with one that no date can be, it would be good for ever.
    const hasEnd = !Number.isNaN(new Date(exp * 1000).getTime());
    if (!isId(id) || !isId(sid) || sub !== String(id) || !hasEnd) throw notLoggedIn();
    return { userId: id, sessionId: sid, exp };
  }

  private decode(token: string): jwt.Jwt {
    try {
      return jwt.verify(token, this.options.secret, {
        algorithms: ["HS256"],
        issuer,
        audience: issuer,
        complete: true,
      });
    } catch {
      throw notLoggedIn();
    }
  }
}

/** The token of an `Authorization: Bearer <token>` header. The scheme's name is case-insensitive (RFC 9110). */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
}

const shortestSecret = 32;

/**
 * The secret of an installation that was given none: made once, kept in the data folder for this user only.
 * @throws StartError when the file there is no secret
 */
export async function storedSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, "jwt-secret");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Written aside and linked, so that a crash leaves a whole secret or none, and two starters agree on one.
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, randomBytes(48).toString("base64url"), { mode: 0o600 });
  await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await unlink(fresh);
  const secret = await readFile(path, "utf8");
  if (Buffer.byteLength(secret) < shortestSecret) {
    throw new StartError(`${path} holds no whole secret. Remove it to have a new one made, which logs everybody out.`);
  }
  return secret;
}
