import { availableParallelism } from "node:os";
import dotenv from "dotenv";
import Joi from "joi";
import { StartError } from "../errors.ts";

/** Everything that can be set from outside; see `.env.example` for what each variable means. Frozen. */
export type Config = Readonly<{
  production: boolean;
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** What one client, and all together, may take of the HTTP side. */
  http: Readonly<{
    /** Until the headers of a request are there. */
    headersTimeoutMs: number;
    /** Until its body is there, too. */
    requestTimeoutMs: number;
    /** From its headers until the client has taken the whole answer. */
    responseTimeoutMs: number;
    /** How long a connection is kept for the next request. */
    keepAliveMs: number;
    maxBodyBytes: number;
    /** TCP connections of the process, those of WebSockets among them. */
    maxConnections: number;
    /** Requests of one connection that are not answered yet. */
    maxRequestsPerConnection: number;
    /** Requests of all connections that have not begun yet. */
    maxWaitingRequests: number;
  }>;
  logLevel: string;
  /** Undefined: the embedded PostgreSQL in `dataDir`. */
  databaseUrl: string | undefined;
  dataDir: string;
  databasePoolSize: number;
  databaseStartTimeoutMs: number;
  /** How long each may take before it is given up. */
  databasePatience: Readonly<{
    statementMs: number;
    /** To wait for a lock. */
    lockMs: number;
    idleInTransactionMs: number;
    /** To wait for a connection of the pool. */
    acquireMs: number;
  }>;
  /** Undefined: this is the only process. */
  redisUrl: string | undefined;
  /** Tells several messengers on one Redis apart. */
  redisPrefix: string;
  /** Undefined: generated once and kept in `dataDir`. */
  jwtSecret: string | undefined;
  tokenLifetimeSeconds: number;
  refreshTokenLifetimeSeconds: number;
  passwords: Readonly<{
    /** bcrypt's work factor: each step doubles the time. */
    cost: number;
    /** How many are hashed or compared at a time. */
    atATime: number;
    /** How many wait for that; more are refused. */
    mostWaiting: number;
  }>;
  /** Undefined: nothing is limited. */
  rates: Readonly<Record<RateName, Rate>> | undefined;
  /** Open sockets of one person, in one process. */
  maxSocketsPerUser: number;
  /** Open sockets of one process. */
  maxSockets: number;
  /** Browser origins besides the server's own that may call the HTTP side and open a WebSocket. */
  allowedOrigins: readonly string[];
  trustedProxyHops: number;
  maxGroupMembers: number;
  /** What each WebSocket may do, and in what time. */
  socketLimits: Readonly<{
    frameBytes: number;
    fragments: number;
    chunks: number;
    unanswered: number;
    /** These three are within ten seconds. */
    malformed: number;
    refused: number;
    control: number;
    ephemeralBytes: number;
    pushBytes: number;
    unsentBytesInAll: number;
    stalledMs: number;
    pingEveryMs: number;
    pongWithinMs: number;
    closeWithinMs: number;
  }>;
  shutdownTimeoutMs: number;
}>;

/** `burst` at once, then `amount` every `seconds`. */
type Rate = Readonly<{ burst: number; amount: number; seconds: number }>;

type RateName =
  | "logInsPerAccount"
  | "logInsPerAddress"
  | "passwordChecksPerUser"
  | "reconnectsPerAddress"
  | "messagesPerUser"
  | "requestsPerUser";

const shortestSecret = 32;

/** TCP connections for HTTP, when all the WebSockets there may be are open. */
const connectionsBesides = 2000;

/** Long enough, and known to everyone who reads documentation. */
const wellKnownSecrets = new Set([
  "a-string-secret-at-least-256-bits-long",
  "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
  "your-256-bit-secret-your-256-bit-secret",
  "please-change-me-please-change-me-please",
  "changemechangemechangemechangeme",
  "secretsecretsecretsecretsecretsecret",
  "0123456789abcdef0123456789abcdef",
  "00112233445566778899aabbccddeeff",
]);

const isGuessable = (secret: string): boolean => wellKnownSecrets.has(secret.toLowerCase()) || new Set(secret).size < 8;

const wholeNumber = (least: number, most: number) => Joi.number().integer().min(least).max(most);

const url = (scheme: string[], example: string) =>
  Joi.string()
    .uri({ scheme })
    .messages({ "string.uriCustomScheme": `{{#label}} must look like ${example}` });

/** A rate as "60+10/s" or "5+1/12s". */
const rate = (unlessSet: string) =>
  Joi.string()
    .custom((text: string, rule) => readRate(text) ?? rule.error("rate.form"))
    .default(readRate(unlessSet));

/** The burst holds at least what comes back at once. */
function readRate(text: string): Rate | undefined {
  const [, burst, amount, seconds = 1] = /^(\d{1,6})\+([1-9]\d{0,5})\/([1-9]\d{0,3})?s$/.exec(text) ?? [];
  if (burst === undefined || Number(burst) < Number(amount)) return undefined;
  return Object.freeze({ burst: Number(burst), amount: Number(amount), seconds: Number(seconds) });
}

/** bcrypt runs in the threads of libuv, which look up names and read files as well: one is left to them. */
const threadsForPasswords = (threads: number): number => Math.max(1, threads - 1);

const environmentSchema = Joi.object({
  NODE_ENV: Joi.string().valid("development", "test", "production").default("development"),
  HOST: Joi.string().default(
    Joi.ref("NODE_ENV", { adjust: (mode) => (mode === "production" ? "0.0.0.0" : "127.0.0.1") }),
  ),
  PORT: wholeNumber(0, 65_535).default(3000),
  HEADERS_TIMEOUT_SECONDS: wholeNumber(1, 300).default(10),
  REQUEST_TIMEOUT_SECONDS: wholeNumber(1, 3600)
    .min(Joi.ref("HEADERS_TIMEOUT_SECONDS"))
    .default(Joi.ref("HEADERS_TIMEOUT_SECONDS", { adjust: (headers) => Math.max(15, headers) })),
  RESPONSE_TIMEOUT_SECONDS: wholeNumber(1, 3600).default(60),
  KEEP_ALIVE_SECONDS: wholeNumber(1, 3600).default(75),
  MAX_BODY_BYTES: wholeNumber(1024, 2 ** 24).default(16 * 1024),
  MAX_CONNECTIONS: wholeNumber(1, 1_100_000).default(
    Joi.ref("MAX_SOCKETS", { adjust: (sockets) => sockets + connectionsBesides }),
  ),
  MAX_REQUESTS_PER_CONNECTION: wholeNumber(1, 1000).default(16),
  MAX_WAITING_REQUESTS: wholeNumber(1, 100_000).default(512),
  LOG_LEVEL: Joi.string().valid("fatal", "error", "warn", "info", "debug", "trace", "silent").default("info"),
  DATABASE_URL: url(["postgres", "postgresql"], "postgres://user:password@host:5432/database"),
  DATA_DIR: Joi.string().default("./data"),
  DATABASE_POOL_SIZE: wholeNumber(1, 200).default(10),
  DATABASE_START_TIMEOUT_SECONDS: wholeNumber(1, 3600).default(60),
  DATABASE_STATEMENT_TIMEOUT_SECONDS: wholeNumber(1, 600).default(5),
  DATABASE_LOCK_TIMEOUT_SECONDS: wholeNumber(1, 600).default(2),
  DATABASE_IDLE_TIMEOUT_SECONDS: wholeNumber(1, 600).default(10),
  // Everyone waits for the one connection of the embedded one while a transaction is open.
  DATABASE_ACQUIRE_TIMEOUT_SECONDS: wholeNumber(1, 600).default(
    Joi.ref("DATABASE_URL", { adjust: (url) => (url === undefined ? 10 : 3) }),
  ),
  REDIS_URL: url(["redis", "rediss"], "redis://host:6379"),
  REDIS_PREFIX: Joi.string()
    .pattern(/^[\w.-]{1,64}$/)
    .messages({ "string.pattern.base": "{{#label}} must be up to 64 letters, digits, dots, dashes and underscores" })
    .default("messenger"),
  JWT_SECRET: Joi.string().custom((secret: string, rule) =>
    Buffer.byteLength(secret) < shortestSecret ? rule.error("secret.short") : secret,
  ),
  TOKEN_LIFETIME_SECONDS: wholeNumber(1, 30 * 86_400).default(86_400),
  REFRESH_TOKEN_LIFETIME_SECONDS: wholeNumber(1, 3650 * 86_400).default(90 * 86_400),
  BCRYPT_COST: wholeNumber(4, 18).default(12),
  UV_THREADPOOL_SIZE: wholeNumber(1, 1024).default(4),
  BCRYPT_PARALLEL: Joi.number()
    .integer()
    .min(1)
    .max(Joi.ref("UV_THREADPOOL_SIZE", { adjust: threadsForPasswords }))
    .messages({ "number.max": "{{#label}} must be less than UV_THREADPOOL_SIZE: others need a thread, too" })
    .default(
      Joi.ref("UV_THREADPOOL_SIZE", {
        adjust: (threads) => Math.max(1, Math.min(availableParallelism() - 1, threadsForPasswords(threads))),
      }),
    ),
  BCRYPT_QUEUE: wholeNumber(1, 10_000).default(32),
  RATE_LIMITS: Joi.string().valid("on", "off").default("on"),
  LIMIT_LOGINS_PER_ACCOUNT: rate("5+1/12s"),
  LIMIT_LOGINS_PER_ADDRESS: rate("20+1/3s"),
  LIMIT_PASSWORD_CHECKS_PER_USER: rate("10+1/60s"),
  LIMIT_RECONNECTS_PER_ADDRESS: rate("200+20/s"),
  LIMIT_MESSAGES_PER_USER: rate("60+10/s"),
  LIMIT_REQUESTS_PER_USER: rate("120+20/s"),
  MAX_SOCKETS_PER_USER: wholeNumber(1, 10_000).default(10),
  MAX_SOCKETS: wholeNumber(1, 1_000_000).default(10_000),
  ALLOWED_ORIGINS: Joi.string().pattern(/^https?:\/\/[^\s/,]+(,https?:\/\/[^\s/,]+)*$/),
  TRUSTED_PROXY_HOPS: wholeNumber(0, 10).default(0),
  MAX_GROUP_MEMBERS: wholeNumber(2, 100_000).default(1000),
  MAX_FRAME_BYTES: wholeNumber(32 * 1024, 16 * 1024 * 1024).default(32 * 1024),
  MAX_FRAGMENTS: wholeNumber(1, 1_000_000).default(64),
  MAX_CHUNKS: wholeNumber(16, 1_000_000).default(1024),
  MAX_UNANSWERED: wholeNumber(1, 1000).default(32),
  CLOSE_AT_MALFORMED: wholeNumber(1, 10_000).default(20),
  CLOSE_AT_REFUSED: wholeNumber(1, 10_000).default(100),
  CLOSE_AT_PINGS: wholeNumber(2, 10_000).default(100),
  PING_EVERY_SECONDS: wholeNumber(2, 3600).default(25),
  PONG_WITHIN_SECONDS: wholeNumber(1, 3600).less(Joi.ref("PING_EVERY_SECONDS")).default(10),
  CLOSE_WITHIN_SECONDS: wholeNumber(1, 60).default(5),
  MAX_UNSENT_BYTES: wholeNumber(64 * 1024, 2 ** 30).default(1024 * 1024),
  MAX_UNSENT_BYTES_IN_ALL: wholeNumber(1024 * 1024, 2 ** 40).default(256 * 1024 * 1024),
  STALLED_AFTER_SECONDS: wholeNumber(1, 600).default(10),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 300).default(24),
})
  .messages({
    "secret.short": `{{#label}} needs ${shortestSecret} bytes or more; make one with: openssl rand -base64 48`,
    "rate.form": "{{#label}} must look like 60+10/s (60 at once, then 10 a second) or 5+1/12s",
    "string.pattern.base": "{{#label}} must be origins such as https://chat.example.org, separated by commas",
  })
  .unknown(true);

/** The variables that are read. */
export const settingNames: readonly string[] = Object.keys(environmentSchema.describe().keys);

/** What only production insists on; each answer is a sentence for the operator. */
function refuseInProduction(environment: { JWT_SECRET?: string; BCRYPT_COST: number }): string | undefined {
  if (environment.JWT_SECRET === undefined) {
    return "JWT_SECRET is required in production; make one with: openssl rand -base64 48";
  }
  if (isGuessable(environment.JWT_SECRET))
    return "JWT_SECRET is well known or repetitive; make one with: openssl rand -base64 48";
  if (environment.BCRYPT_COST < 10) return "BCRYPT_COST below 10 is refused in production";
  return undefined;
}

/**
 * Reads the settings of the process. An empty variable counts as unset.
 * @throws StartError naming the variable and the rule that it breaks; never its value
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const { error, value } = environmentSchema.validate(given, { abortEarly: true });
  if (error) throw new StartError(error.message);

  const production = value.NODE_ENV === "production";
  const refusal = production ? refuseInProduction(value) : undefined;
  if (refusal) throw new StartError(refusal);

  const isLimited = value.RATE_LIMITS === "on";
  const rates = Object.freeze({
    logInsPerAccount: value.LIMIT_LOGINS_PER_ACCOUNT,
    logInsPerAddress: value.LIMIT_LOGINS_PER_ADDRESS,
    passwordChecksPerUser: value.LIMIT_PASSWORD_CHECKS_PER_USER,
    reconnectsPerAddress: value.LIMIT_RECONNECTS_PER_ADDRESS,
    messagesPerUser: value.LIMIT_MESSAGES_PER_USER,
    requestsPerUser: value.LIMIT_REQUESTS_PER_USER,
  });

  return Object.freeze({
    production,
    host: value.HOST,
    port: value.PORT,
    http: Object.freeze({
      headersTimeoutMs: value.HEADERS_TIMEOUT_SECONDS * 1000,
      requestTimeoutMs: value.REQUEST_TIMEOUT_SECONDS * 1000,
      responseTimeoutMs: value.RESPONSE_TIMEOUT_SECONDS * 1000,
      keepAliveMs: value.KEEP_ALIVE_SECONDS * 1000,
      maxBodyBytes: value.MAX_BODY_BYTES,
      maxConnections: value.MAX_CONNECTIONS,
      maxRequestsPerConnection: value.MAX_REQUESTS_PER_CONNECTION,
      maxWaitingRequests: value.MAX_WAITING_REQUESTS,
    }),
    logLevel: value.LOG_LEVEL,
    databaseUrl: value.DATABASE_URL,
    dataDir: value.DATA_DIR,
    databasePoolSize: value.DATABASE_POOL_SIZE,
    databaseStartTimeoutMs: value.DATABASE_START_TIMEOUT_SECONDS * 1000,
    databasePatience: Object.freeze({
      statementMs: value.DATABASE_STATEMENT_TIMEOUT_SECONDS * 1000,
      lockMs: value.DATABASE_LOCK_TIMEOUT_SECONDS * 1000,
      idleInTransactionMs: value.DATABASE_IDLE_TIMEOUT_SECONDS * 1000,
      acquireMs: value.DATABASE_ACQUIRE_TIMEOUT_SECONDS * 1000,
    }),
    redisUrl: value.REDIS_URL,
    redisPrefix: value.REDIS_PREFIX,
    jwtSecret: value.JWT_SECRET,
    tokenLifetimeSeconds: value.TOKEN_LIFETIME_SECONDS,
    refreshTokenLifetimeSeconds: value.REFRESH_TOKEN_LIFETIME_SECONDS,
    passwords: Object.freeze({
      cost: value.BCRYPT_COST,
      atATime: value.BCRYPT_PARALLEL,
      mostWaiting: value.BCRYPT_QUEUE,
    }),
    rates: isLimited ? rates : undefined,
    maxSocketsPerUser: isLimited ? value.MAX_SOCKETS_PER_USER : Number.POSITIVE_INFINITY,
    maxSockets: value.MAX_SOCKETS,
    allowedOrigins: Object.freeze(value.ALLOWED_ORIGINS?.split(",") ?? []),
    trustedProxyHops: value.TRUSTED_PROXY_HOPS,
    maxGroupMembers: value.MAX_GROUP_MEMBERS,
    socketLimits: Object.freeze({
      frameBytes: value.MAX_FRAME_BYTES,
      fragments: value.MAX_FRAGMENTS,
      chunks: value.MAX_CHUNKS,
      unanswered: value.MAX_UNANSWERED,
      malformed: value.CLOSE_AT_MALFORMED,
      refused: value.CLOSE_AT_REFUSED,
      control: isLimited ? value.CLOSE_AT_PINGS : Number.POSITIVE_INFINITY,
      ephemeralBytes: value.MAX_UNSENT_BYTES / 4,
      pushBytes: value.MAX_UNSENT_BYTES,
      unsentBytesInAll: value.MAX_UNSENT_BYTES_IN_ALL,
      stalledMs: value.STALLED_AFTER_SECONDS * 1000,
      pingEveryMs: value.PING_EVERY_SECONDS * 1000,
      pongWithinMs: value.PONG_WITHIN_SECONDS * 1000,
      closeWithinMs: value.CLOSE_WITHIN_SECONDS * 1000,
    }),
    shutdownTimeoutMs: value.SHUTDOWN_TIMEOUT_SECONDS * 1000,
  });
}

/** Settings from the environment, completed by the file `.env` where there is one. */
export function loadConfig(): Config {
  // The threads have been counted out before that file is read.
  const { UV_THREADPOOL_SIZE } = process.env;
  dotenv.config({ quiet: true });
  return readConfig({ ...process.env, UV_THREADPOOL_SIZE });
}
