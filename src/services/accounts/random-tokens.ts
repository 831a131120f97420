import { createHash, randomBytes } from "node:crypto";

const tokenBytes = 32;

/** A token that nobody can guess, for links. */
export const newToken = (): string => randomBytes(tokenBytes).toString("base64url");

/** The form in which a token is stored: its SHA-256. */
export const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();
