import type { ErrorCode } from "./error-codes.ts";
import { described, integer, object, optional, text } from "./schema.ts";

/** An error on HTTP, RFC 9457. */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  requestId: string;
  retryAfterMs?: number;
}

export const problem = object({
  type: text({ max: 100 }),
  title: described(text({ max: 100 }), "The status in words."),
  status: integer({ min: 400, max: 599 }),
  detail: described(text({ max: 1000 }), "What is wrong and what to do, for people."),
  code: described(text({ max: 40 }), "What is wrong, for programs."),
  requestId: described(text({ max: 64 }), "Quote it when you report a fault; it stands in the server's log."),
  retryAfterMs: optional(integer({ min: 0, max: 3_600_000 })),
});

export const problemMediaType = "application/problem+json";
