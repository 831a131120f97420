import { createHash } from "node:crypto";
import type { Request, Response } from "express";
import { escapeHtml } from "../escape-html.ts";

/**
 * An HTML page in which one text differs from response to response. What is around it is in memory once, however many
 * clients are slow to read it.
 */
export class TemplatePage {
  private readonly parts: readonly Buffer[];

  /** @param mark stands in the page for the text */
  constructor(page: string, mark: string) {
    this.parts = page.split(mark).map((part) => Buffer.from(part));
  }

  /** Answers GET and HEAD with the page, or with 304. */
  send(request: Request, response: Response, text: string): void {
    const value = Buffer.from(escapeHtml(text));
    const chunks = this.parts.flatMap((part, index) => (index === 0 ? [part] : [value, part]));
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    response.set({
      "Content-Type": "text/html; charset=utf-8",
      ETag: `"${hash.digest("base64url").slice(0, 22)}"`,
      "Cache-Control": "no-cache",
    });
    if (request.fresh) {
      response.status(304).end();
      return;
    }
    response.set("Content-Length", String(chunks.reduce((sum, { length }) => sum + length, 0)));
    for (const chunk of chunks) response.write(chunk);
    response.end();
  }
}
