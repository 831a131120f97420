import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import { makeFolder } from "../../db/make-folder.ts";
import type { Claims } from "../../domain/session.ts";
import { AppError, StartError } from "../../errors.ts";

const issuer = "messenger";

/** The same error for every invalid token, whatever the reason. */
export const notLoggedIn = (userId?: number) =>
  new AppError("unauthenticated", "A valid token is required: log in", { logFields: { userId } });

/** What tokens are signed with. */
export interface SigningSecrets {
  /** Signs new tokens. */
  secret: string;
  /** Tokens signed with it are accepted, too. */
  previousSecret?: string | undefined;
}

/** Access tokens: JWTs signed with HS256 that contain only the ids of the user and the session. */
export class Tokens {
  /** The first signs; each of them verifies. Made once: given a text, jsonwebtoken tries each time whether it is a PEM key. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  private readonly lifetimeSeconds: number;

  constructor({ secret, previousSecret, lifetimeSeconds }: SigningSecrets & { lifetimeSeconds: number }) {
    this.keys = [keyOf(secret), ...(previousSecret === undefined ? [] : [keyOf(previousSecret)])];
    this.lifetimeSeconds = lifetimeSeconds;
  }

  issue(identity: { userId: number; sessionId: number }): { token: string; expiresAt: Date } {
    const { userId, sessionId } = identity;
    const now = Math.floor(Date.now() / 1000);
    const exp = now + this.lifetimeSeconds;
    const token = jwt.sign({ sub: String(userId), id: userId, sid: sessionId, iat: now, exp }, this.keys[0], {
      algorithm: "HS256",
      issuer,
      audience: issuer,
    });
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** @throws AppError of kind "unauthenticated" if the token is invalid or expired */
  verify(token: string): Claims {
    const decoded = this.decode(token);
    if (!decoded) throw notLoggedIn();
    const { header, payload } = decoded;
    if (header.typ !== "JWT" || typeof payload === "string") throw notLoggedIn();
    const { sub, id, sid, exp = Number.NaN } = payload;
    const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
    // A token without an expiry, or with one outside the range of dates, would never expire.
    const expires = !Number.isNaN(new Date(exp * 1000).getTime());
    if (!isId(id) || !isId(sid) || sub !== String(id) || !expires) throw notLoggedIn();
    return { userId: id, sessionId: sid, exp };
  }

  private decode(token: string): jwt.Jwt | undefined {
    for (const key of this.keys) {
      const decoded = decodeSigned(token, key);
      if (decoded) return decoded;
    }
    return undefined;
  }
}

const keyOf = (secret: string): KeyObject => createSecretKey(secret, "utf8");

/** @returns undefined if the token is invalid, expired or signed with another secret */
function decodeSigned(token: string, key: KeyObject): jwt.Jwt | undefined {
  try {
    return jwt.verify(token, key, { algorithms: ["HS256"], issuer, audience: issuer, complete: true });
  } catch {
    return undefined;
  }
}

/** Returns the token of an `Authorization: Bearer <token>` header. The scheme is case-insensitive (RFC 9110). */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
}

const minSecretBytes = 32;

/** Where the generated secret is stored. */
export const storedSecretPath = (dataDir: string): string => join(dataDir, "jwt-secret");

/** Whether a stored secret was written completely. */
export const isCompleteSecret = (secret: string): boolean => Buffer.byteLength(secret) >= minSecretBytes;

/**
 * Returns the generated secret of an installation without JWT_SECRET. Created once and stored in the data folder,
 * readable by this system user only.
 * @throws StartError if the folder cannot be used, or the stored secret is incomplete
 */
export async function storedSecret(dataDir: string): Promise<string> {
  const path = storedSecretPath(dataDir);
  const secret = await readOrCreateSecret(dataDir, path).catch((error: Error) => {
    throw new StartError(
      `The generated JWT_SECRET cannot be kept in ${path}: ${error.message}. Set JWT_SECRET or DATA_DIR.`,
    );
  });
  if (!isCompleteSecret(secret)) {
    throw new StartError(
      `${path} does not contain a complete secret. Remove it to generate a new one, which logs all users out.`,
    );
  }
  return secret;
}

/** Returns the generated secret of the data folder; undefined if there is none. */
export const findStoredSecret = (dataDir: string): Promise<string | undefined> =>
  readFile(storedSecretPath(dataDir), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });

/** Replaces the generated secret of the data folder, which logs out everybody who has a token signed with another one. */
export async function replaceStoredSecret(dataDir: string, secret: string): Promise<void> {
  const path = storedSecretPath(dataDir);
  await makeFolder(dataDir);
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, secret, { mode: 0o600 });
  await rename(temporary, path);
}

async function readOrCreateSecret(dataDir: string, path: string): Promise<string> {
  const stored = await findStoredSecret(dataDir);
  if (stored !== undefined) return stored;
  await makeFolder(dataDir);
  // Written to a temporary file and linked: a crash leaves a complete secret or none, concurrent starts agree on one.
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, randomBytes(48).toString("base64url"), { mode: 0o600 });
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await unlink(temporary);
  return await readFile(path, "utf8");
}
