import { mailMode } from "./config/mail-mode.ts";
import type { Config } from "./config/settings.ts";
import { maxContentUnits } from "./contract/fields.ts";
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
export function serverInfo(config: Config, { version, epoch }: { version: string; epoch: string }): ServerInfo {
  const { limits, web, registration } = config;
  return {
    name: web.serverName,
    version,
    epoch,
    registration: registration.policy,
    invitesBy: registration.invitesBy,
    email: mailMode(config) !== "none",
    features: [],
    limits: {
      contentUnits: maxContentUnits,
      frameBytes: maxFrameBytes,
      requestsInFlight: maxRequestsInFlight,
      groupMembers: limits.maxGroupMembers,
      socketsPerUser: limits.maxSocketsPerUser,
    },
  };
}

/**
 * Whether the server is ready, from the state of each part. Only the database must work: without Redis everything does, a
 * little later.
 */
export function readinessOf(
  checks: Record<"server" | "database" | "bus", string> & { redis?: string | undefined },
): Readiness {
  const { redis, ...always } = checks;
  return {
    isReady: checks.server === "ok" && checks.database === "ok",
    checks: { ...always, ...(redis !== undefined && { redis }) },
  };
}
