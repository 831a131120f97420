import { createHmac, timingSafeEqual } from "node:crypto";
import type { SigningSecrets } from "../accounts/tokens.ts";

/** Who may read a file by a link: a user, while the session in which it was made is active. */
export interface LinkHolder {
  userId: number;
  sessionId: number;
}

/** Makes and checks the links by which pages load files: an `<img>` sends no token. */
export class FileLinks {
  constructor(private readonly options: SigningSecrets & { lifetimeSeconds: number }) {}

  /** Returns the value of `link`, and when it ends. */
  sign(fileId: string, { userId, sessionId }: LinkHolder): { link: string; expiresAt: Date } {
    const { secret, lifetimeSeconds } = this.options;
    const expires = Math.floor(Date.now() / 1000) + lifetimeSeconds;
    const claims = [userId, sessionId, expires].join(".");
    return { link: `${claims}.${macOf(secret, fileId, claims)}`, expiresAt: new Date(expires * 1000) };
  }

  /** Returns the holder of a link to a file; undefined if it was made for another file, changed, or has ended. */
  verify(fileId: string, link: string): LinkHolder | undefined {
    const [, claims = "", userId, sessionId, expires, mac = ""] =
      /^(([1-9]\d{0,15})\.([1-9]\d{0,15})\.([1-9]\d{0,11}))\.([\w-]{43})$/.exec(link) ?? [];
    const { secret, previousSecret } = this.options;
    const isSigned = [secret, previousSecret].some(
      (key) => key !== undefined && isEqual(mac, macOf(key, fileId, claims)),
    );
    if (!isSigned || Number(expires) * 1000 <= Date.now()) return undefined;
    return { userId: Number(userId), sessionId: Number(sessionId) };
  }
}

/** The prefix keeps it apart from everything else that is signed with the secret. */
const macOf = (secret: string, fileId: string, claims: string): string =>
  createHmac("sha256", secret).update(`file link\n${fileId}\n${claims}`).digest("base64url");

const isEqual = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
