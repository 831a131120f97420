import { errorCode } from "./error-codes.ts";
import { retryAfterMs } from "./fields.ts";
import { described, exactly, type Infer, integer, named, object, optional, text } from "./schema.ts";

/** An error on HTTP, RFC 9457. */
export const problem = named(
  "Problem",
  object({
    type: exactly("about:blank"),
    title: described(text({ max: 100 }), "The status in words."),
    status: integer({ min: 400, max: 599 }),
    detail: described(text({ max: 1000 }), "What is wrong and what to do, for people."),
    code: errorCode,
    requestId: described(text({ max: 64 }), "Quote it when you report an error; the server's log contains it."),
    retryAfterMs: optional(retryAfterMs()),
  }),
);
export type Problem = Infer<typeof problem>;

export const problemMediaType = "application/problem+json";
