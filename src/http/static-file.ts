import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import type { Request, Response } from "express";

/** A file in memory, in one or more encodings. */
export interface StaticFile {
  contentType: string;
  /** Identifies the content, before it was encoded. */
  hash: string;
  bodies: { identity: Buffer; br?: Buffer | undefined; gzip?: Buffer | undefined };
}

/** The encodings besides the file as it is, the preferred one first. */
const encodings = ["br", "gzip"] as const;

export const staticFile = (contentType: string, bodies: StaticFile["bodies"]): StaticFile => ({
  contentType,
  hash: createHash("sha256").update(bodies.identity).digest("base64url").slice(0, 22),
  bodies,
});

/** A file in all encodings. For what is made or changed by the server; the build compresses the others. */
export async function compressedFile(contentType: string, content: string | Buffer): Promise<StaticFile> {
  const identity = Buffer.from(content);
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity)]);
  return staticFile(contentType, { identity, br, gzip: gzipped });
}

/** Answers GET and HEAD with the file in the best encoding that the client accepts, or with 304. */
export function sendStaticFile(
  request: Request,
  response: Response,
  { contentType, hash, bodies }: StaticFile,
  cacheControl: string,
): void {
  const offered = encodings.filter((name) => bodies[name]);
  const encoding = offered.find((name) => request.acceptsEncodings(name)) ?? "identity";
  if (encoding !== "identity") response.set("Content-Encoding", encoding);
  if (offered.length > 0) response.vary("Accept-Encoding");
  response.set({ "Content-Type": contentType, ETag: `"${hash}-${encoding}"`, "Cache-Control": cacheControl });
  response.send(bodies[encoding]);
}

/** Reads something once, at its first use; again after a failure. */
export function readOnce<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= read().catch((error) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}
