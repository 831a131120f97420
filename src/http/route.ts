import type { Claims } from "../domain/session.ts";
import type { ErrorCode } from "../contract/error-codes.ts";
import type { Schema } from "../contract/schema.ts";
import type { Accounts } from "../services/accounts/accounts.ts";
import type { Blocks } from "../services/people/blocks.ts";
import type { RateLimitName } from "../services/limits/rate-limits.ts";
import type { People } from "../services/people/people.ts";
import type { Sessions } from "../services/accounts/sessions.ts";

/** What handlers may call. */
export interface HttpServices {
  accounts: Accounts;
  sessions: Sessions;
  people: People;
  blocks: Blocks;
}

/** What a handler is given: checked, and typed by the route's schemas. */
export interface Call<Path, Query, Body, Public> {
  path: Path;
  query: Query;
  body: Body;
  /** Who asks; nobody on a public route. */
  identity: Public extends true ? undefined : Claims;
  device: { userAgent: string | undefined };
  services: HttpServices;
}

/** One route: how it is called, what it takes and answers, and what it does. Checks and documents follow from it. */
export interface Route<Path, Query, Body, Answer, Public> {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters as `{name}`. */
  url: string;
  summary: string;
  /** The heading it stands under in the documents. */
  tag: string;
  /** Needs no token. */
  public?: Public;
  /** What a public route counts as; any other counts for the person who asks. */
  limit?: Extract<RateLimitName, `${string}PerAddress`>;
  /** Throws while no more of it can be taken on. Asked first of all; `ahead` are let in and not begun. */
  assertCapacity?(services: HttpServices, ahead: number): void;
  path?: Schema<Path>;
  query?: Schema<Query>;
  body?: Schema<Body>;
  status: 200 | 201 | 204;
  /** Of the body; none with status 204. */
  answer?: Schema<Answer>;
  /** Beyond those every route can have. */
  errors: readonly ErrorCode[];
  /** Valid values for each part, shown in the documents and sent in the tests. */
  example: { path?: NoInfer<Path>; query?: NoInfer<Query>; body?: NoInfer<Body> };
  handle(call: Call<Path, Query, Body, Public>): Promise<NoInfer<Answer>>;
}

/** A route whose handler is typed by its schemas. */
export const defineRoute = <P = undefined, Q = undefined, B = undefined, A = void, Public = undefined>(
  route: Route<P, Q, B, A, Public>,
): AnyRoute => route;

/** Any route, for those who treat all alike; what its handler is given has been checked against its own schemas. */
// biome-ignore lint/suspicious/noExplicitAny: a list of routes holds routes of different types
export type AnyRoute = Route<any, any, any, any, any>;
