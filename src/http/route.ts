import type { Request, Response } from "express";
import type { ErrorCode } from "../contract/error-codes.ts";
import type { Schema } from "../contract/schema.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";
import type { ServerInfo } from "../domain/server-info.ts";
import type { Claims } from "../domain/session.ts";
import type { Accounts } from "../services/accounts/accounts.ts";
import type { EmailVerification } from "../services/accounts/email-verification.ts";
import type { Invites } from "../services/accounts/invites.ts";
import type { PasswordReset } from "../services/accounts/password-reset.ts";
import type { Device, Sessions } from "../services/accounts/sessions.ts";
import type { Administration } from "../services/administration/compose-administration.ts";
import type { Setup } from "../services/administration/setup.ts";
import type { UsageStatistics } from "../services/administration/usage-statistics.ts";
import type { Downloads } from "../services/files/downloads.ts";
import type { Uploads } from "../services/files/uploads.ts";
import type { Mails } from "../services/mail/mails.ts";
import type { Avatars } from "../services/people/avatars.ts";
import type { Blocks } from "../services/people/blocks.ts";
import type { People } from "../services/people/people.ts";

/** The services that handlers may use. */
export interface HttpServices {
  accounts: Accounts;
  sessions: Sessions;
  invites: Invites;
  mails: Mails;
  verification: EmailVerification;
  setup: Setup;
  passwordReset: PasswordReset;
  administration: Administration;
  statistics: UsageStatistics;
  people: People;
  blocks: Blocks;
  uploads: Uploads;
  downloads: Downloads;
  /** Which pages may show files: `Cross-Origin-Resource-Policy`. */
  crossOriginPolicy: "same-origin" | "cross-origin";
  avatars: Avatars;
  describeServer(): ServerInfo;
}

/** The parameters of a handler, validated and typed by the schemas of the route. */
export interface Call<Path, Query, Body, Public> {
  path: Path;
  query: Query;
  body: Body;
  /** The bytes of the body, of a route that takes a picture. */
  picture: Buffer;
  /** The authenticated user; undefined on a public route. */
  identity: Public extends true ? undefined : Claims;
  /** The client: its browser or app, and its network address. */
  device: Device;
  services: HttpServices;
  /** For routes that stream. */
  request: Request;
  response: Response;
}

/** One route. Validation and OpenAPI follow from this declaration. */
export interface Route<Path, Query, Body, Answer, Public> {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** Parameters are written `{name}`. */
  url: string;
  summary: string;
  /** Its heading in OpenAPI. */
  tag: string;
  /** Requires no token. */
  public?: Public;
  /** Only administrators may use it. */
  requiresAdmin?: true;
  /** It changes nothing, although its method is not GET: users may call it who have to confirm their e-mail address first. */
  readOnly?: true;
  /** The rate limit of a public route, per address. Other routes are limited per user. */
  limit?: Extract<RateLimitName, `${string}PerAddress`>;
  /**
   * Throws if no more requests of this address to this route can be accepted. Called before anything else; `queuedAhead`
   * says how many of each address have been admitted and not started.
   */
  assertCapacity?(services: HttpServices, address: string, queuedAhead: ReadonlyMap<string, number>): void;
  /**
   * Whether a password may be checked or hashed for the authenticated user, which has a queue of its own. Such a route does
   * not occupy a place in the fair queues meanwhile; its service runs in them what follows, if it is much.
   */
  checksPassword?: true;
  path?: Schema<Path>;
  query?: Schema<Query>;
  body?: Schema<Body>;
  /** The content of a file: the handler reads the body of the request itself, or writes the response itself. */
  streams?: "request" | "response";
  /** The body is a picture, not JSON. */
  takesPicture?: true;
  /** The handler returns a picture as WebP, which never changes. */
  givesPicture?: true;
  status: 200 | 201 | 202 | 204;
  /** Answers the requests to which this applies with another status. */
  accepts?: { status: 202; applies(query: NoInfer<Query>): boolean };
  /** Schema of the response body; absent if there is none. */
  answer?: Schema<Answer>;
  /** Error codes of this route, besides those of every route. */
  errors: readonly ErrorCode[];
  /** Errors with another status than that of their code. */
  furtherErrors?: readonly { status: number; code: ErrorCode }[];
  /** A valid request, shown in OpenAPI and sent by the tests, and an answer, if the response has a body. */
  example: { path?: NoInfer<Path>; query?: NoInfer<Query>; body?: NoInfer<Body>; answer?: NoInfer<Answer> };
  /** The user of a response to a public route, for the log. */
  userIdOf?(answer: NoInfer<Answer>): number;
  handle(call: Call<Path, Query, Body, Public>): Promise<NoInfer<Answer>>;
}

/** Declares a route; its schemas determine the types of the handler. */
export const defineRoute = <P = undefined, Q = undefined, B = undefined, A = void, Public = undefined>(
  route: Route<P, Q, B, A, Public>,
): AnyRoute => route;

/** A route with any types, for code that handles all routes alike. */
// biome-ignore lint/suspicious/noExplicitAny: a list of routes holds routes of different types
export type AnyRoute = Route<any, any, any, any, any>;
