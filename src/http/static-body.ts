import { createHash } from "node:crypto";
import type { RequestHandler } from "express";

/** A response body that never changes: one buffer for all responses, however many clients are slow to read it. */
export interface StaticBody {
  type: string;
  body: Buffer;
  etag: string;
}

export const staticBody = (type: string, content: string | Buffer): StaticBody => {
  const body = Buffer.from(content);
  return { type, body, etag: `"${contentHash(body)}"` };
};

/** A hash for ETags. */
export const contentHash = (content: Buffer): string =>
  createHash("sha256").update(content).digest("base64url").slice(0, 22);

/** Sends the body; browsers revalidate it (304). */
export const sendStatic =
  ({ type, body, etag }: StaticBody): RequestHandler =>
  (_request, response) => {
    response.set({ "Content-Type": type, ETag: etag, "Cache-Control": "no-cache" });
    response.send(body);
  };
