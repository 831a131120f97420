import { pipeline } from "node:stream/promises";
import { create as contentDisposition } from "content-disposition";
import type { Request, Response } from "express";
import parseRange from "range-parser";
import { noSuchFile } from "../domain-errors.ts";
import { bearerToken } from "../services/accounts/tokens.ts";
import type { ReadableContent } from "../services/files/downloads.ts";
import { contextOf } from "./request-context.ts";
import type { HttpServices } from "./route.ts";

/** Nothing in a file can run or load anything, wherever a browser shows it. The styles are those of its own viewers. */
const contentSecurityPolicy =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";

/**
 * Returns the user who reads a file: by a link, or by a token. Every request reads again whether the session is active.
 * @throws AppError of kind "notFound" for a link that does not work, or "unauthenticated"
 */
export async function readerOf(
  { sessions, downloads }: HttpServices,
  request: Request,
  { fileId, link }: { fileId: string; link: string | undefined },
): Promise<number> {
  if (link === undefined) {
    const { userId } = await sessions.authenticate(bearerToken(request.get("authorization")));
    contextOf(request).userId = userId;
    return userId;
  }
  const holder = downloads.holderOf(fileId, link);
  if (!holder || !(await sessions.isActive(holder))) throw noSuchFile();
  contextOf(request).userId = holder.userId;
  return holder.userId;
}

/** Answers with a file, a range of it, 304 or 416. */
export async function sendFile(
  { downloads, crossOriginPolicy }: HttpServices,
  content: ReadableContent,
  request: Request,
  response: Response,
): Promise<void> {
  const { size, mediaType, isInline, name } = content;
  const etag = `"${content.tag}"`;
  response.set({
    ETag: etag,
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Resource-Policy": crossOriginPolicy,
    "Content-Security-Policy": contentSecurityPolicy,
    ...(size !== undefined && { "Accept-Ranges": "bytes" }),
  });
  if (matches(request.get("if-none-match"), etag)) {
    response.status(304).end();
    return;
  }
  const range = size === undefined ? undefined : rangeOf(request, { size, etag });
  if (range === "unsatisfiable") {
    response.status(416).set("Content-Range", `bytes */${size}`).end();
    return;
  }
  const isHead = request.method === "HEAD";
  const stream = isHead ? undefined : await downloads.open(content, range);
  response.status(range ? 206 : 200).set({
    "Content-Type": mediaType,
    "Content-Disposition": contentDisposition(name, { type: isInline ? "inline" : "attachment" }),
    ...(range && { "Content-Range": `bytes ${range.start}-${range.end}/${size}` }),
    ...(size !== undefined && { "Content-Length": String(range ? range.end - range.start + 1 : size) }),
  });
  if (!stream) {
    response.end();
    return;
  }
  // A client that leaves, or an object that ends too early: the connection is closed, which tells the client.
  await pipeline(stream, response).catch(() => response.destroy());
}

const matches = (header: string | undefined, etag: string): boolean =>
  header?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;

/** The one range that a request asks for, if any. Of several, the whole file is sent. */
function rangeOf(request: Request, { size, etag }: { size: number; etag: string }) {
  const header = request.get("range");
  const condition = request.get("if-range");
  if (header === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const ranges = parseRange(size, header, { combine: true });
  if (ranges === -1) return "unsatisfiable";
  if (ranges === -2 || ranges.type !== "bytes" || ranges.length !== 1) return undefined;
  const [range] = ranges;
  return range && { start: range.start, end: range.end };
}
