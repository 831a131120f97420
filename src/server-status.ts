import { setTimeout as wait } from "node:timers/promises";
import { mailMode } from "./config/mail-mode.ts";
import type { Config } from "./config/settings.ts";
import { maxContentUnits } from "./contract/fields.ts";
import type { Database } from "./db/connect.ts";
import { countMissingMigrations } from "./db/migrate.ts";
import type { ServerInfo } from "./domain/server-info.ts";
import type { Readiness } from "./http/routers/health.ts";
import { maxFrameBytes, maxRequestsInFlight } from "./ws/socket-limits.ts";

/* What the server says about itself: to administrators, clients and supervisors. */

/** The configuration in one line, for the log. Contains no secrets. */
export function startSummary(config: Config, about: { version: string; database: string }): string {
  const { redis, http, mail, web, registration } = config;
  const { policy, domains } = registration;
  const parts = [
    `database ${about.database}`,
    `bus ${redis.url === undefined ? "none (REDIS_URL is unset)" : `Redis ${new URL(redis.url).host}`}`,
    `trusted proxy hops ${http.trustedProxyHops}`,
    `registration ${policy}${domains.length === 0 ? "" : ` for ${domains.join(" ")}`}`,
    `mail ${mailSummary(config)}`,
    ...(mail.verification === "required" ? ["e-mail addresses have to be confirmed"] : []),
    `name ${JSON.stringify(web.serverName)}`,
    ...(web.publicUrl === undefined ? [] : [`public URL ${web.publicUrl}`]),
  ];
  return `messenger ${about.version}: ${parts.join(", ")}`;
}

/** How mails are sent. The address of the SMTP server may contain a password. */
function mailSummary(config: Config): string {
  const { smtpUrl } = config.mail;
  const mode = mailMode(config);
  if (mode === "none") return "none";
  return mode === "smtp" && smtpUrl !== undefined ? `SMTP ${new URL(smtpUrl).host}` : "files in DATA_DIR/mail";
}

/** For the log of a server whose first administrator has not been set up. */
export const noAdministrator =
  "there is no administrator: run `messenger setup-link` (outside of the image: `npm run -s messenger -- setup-link`)";

/** What clients may know before they log in. */
export function serverInfo(
  config: Config,
  { version, epoch, hasAvatars }: { version: string; epoch: string; hasAvatars: boolean },
): ServerInfo {
  const { limits, web, registration, files } = config;
  return {
    name: web.serverName,
    version,
    epoch,
    registration: registration.policy,
    invitesBy: registration.invitesBy,
    email: mailMode(config) !== "none",
    features: [
      "reactions",
      "mentions",
      "pins",
      "forward",
      "state",
      "search",
      "files",
      ...(hasAvatars ? ["avatars"] : []),
    ],
    limits: {
      contentUnits: maxContentUnits,
      frameBytes: maxFrameBytes,
      requestsInFlight: maxRequestsInFlight,
      groupMembers: limits.maxGroupMembers,
      socketsPerUser: limits.maxSocketsPerUser,
      fileBytes: files.maxBytes,
      filesPerMessage: files.perMessage,
    },
  };
}

/** How long the look at the migrations may take, in milliseconds. */
const migrationsTimeoutMs = 1000;

/** Whether the open database has all migrations: "ok", or what is wrong; undefined if it does not answer. Never hangs. */
export async function migrationState(database: Database): Promise<string | undefined> {
  const timeout = wait(migrationsTimeoutMs, undefined, { ref: false });
  const missing = await Promise.race([countMissingMigrations(database), timeout]).catch(() => undefined);
  if (missing === undefined) return undefined;
  return missing === 0 ? "ok" : `${missing} missing: restart the server`;
}

/** Whether the processes reach each other: "ok", or what is wrong. */
export function busState({ warning, redis }: { warning: string | undefined; redis: string | undefined }): string {
  if (warning !== undefined) return "without a common Redis";
  return redis === undefined || redis === "ok" ? "ok" : `Redis is ${redis}`;
}

/**
 * Whether the server is ready, from the state of each part: "ok", or what is wrong. Only the database must work: without
 * Redis everything does, a little later.
 */
export function readinessOf(
  checks: Record<"server" | "database" | "migrations" | "bus", string> & { redis?: string | undefined },
): Readiness {
  const { redis, ...always } = checks;
  return {
    isReady: checks.server === "ok" && checks.database === "ok" && checks.migrations === "ok",
    checks: { ...always, ...(redis !== undefined && { redis }) },
  };
}
