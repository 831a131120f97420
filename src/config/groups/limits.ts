import type { RateLimitName } from "../../domain/rate-limit.ts";
import { group, integer, onOff, rate } from "../setting.ts";

export const maxSockets = integer(
  "MAX_SOCKETS",
  [1, 1_000_000],
  10_000,
  "Most WebSockets of one process; others are closed (1013).",
);

export const limitSettings = group(
  {
    title: "Limits",
    note: "A rate is a burst and what comes back: 60+10/s is 60 at once, then 10 a second; 5+1/12s is 5 at once, then 1 every 12 seconds. With REDIS_URL all processes count together.",
  },
  {
    enabled: onOff(
      "RATE_LIMITS",
      "on",
      "`off` lifts all rates, MAX_SOCKETS_PER_USER and the closing of flooding sockets (4429). For load tests only.",
    ),
    rates: {
      logInsPerAccount: rate(
        "LIMIT_LOGINS_PER_ACCOUNT",
        "5+1/12s",
        "Log-ins to one account from one address; the right password resets the count.",
      ),
      logInsPerAccountEverywhere: rate(
        "LIMIT_LOGINS_PER_ACCOUNT_EVERYWHERE",
        "50+1/6s",
        "Failed log-ins to one account from all addresses together, except those where it is logged in.",
      ),
      logInsPerAddress: rate(
        "LIMIT_LOGINS_PER_ADDRESS",
        "20+1/3s",
        "Failed log-ins and registrations from one address; users who are logged in there are exempt.",
      ),
      successfulLogInsPerAccount: rate(
        "LIMIT_SUCCESSFUL_LOGINS_PER_ACCOUNT",
        "20+1/10s",
        "Log-ins to one account with the right password, from all addresses together.",
      ),
      successfulLogInsPerAddress: rate(
        "LIMIT_SUCCESSFUL_LOGINS_PER_ADDRESS",
        "400+1/s",
        "Log-ins with the right password from one address, which may be that of an office.",
      ),
      passwordChecksPerUser: rate(
        "LIMIT_PASSWORD_CHECKS_PER_USER",
        "10+1/60s",
        "Password prompts of one user who is logged in: to change e-mail address or password, or delete the account.",
      ),
      reconnectsPerAddress: rate(
        "LIMIT_RECONNECTS_PER_ADDRESS",
        "200+20/s",
        "WebSockets opened, tokens refreshed, and invites and GET /api/info read from one address.",
      ),
      documentsPerAddress: rate(
        "LIMIT_DOCUMENTS_PER_ADDRESS",
        "300+30/s",
        "Files under /api and /client.js requested from one address.",
      ),
      avatarsPerAddress: rate("LIMIT_AVATARS_PER_ADDRESS", "1000+100/s", "Avatars requested from one address."),
      mailsPerAddress: rate(
        "LIMIT_MAILS_PER_ADDRESS",
        "10+1/60s",
        "Mails for forgotten passwords requested from one address.",
      ),
      mailsPerUser: rate(
        "LIMIT_MAILS_PER_USER",
        "5+1/600s",
        "Mails requested by one user to confirm an e-mail address.",
      ),
      messagesPerUser: rate(
        "LIMIT_MESSAGES_PER_USER",
        "60+10/s",
        "Changes by one user: sends, edits, deletions, groups.",
      ),
      uploadsPerUser: rate("LIMIT_UPLOADS_PER_USER", "30+1/2s", "Files that one user uploads."),
      downloadsPerUser: rate("LIMIT_DOWNLOADS_PER_USER", "300+30/s", "Files and thumbnails that one user reads."),
      requestsPerUser: rate(
        "LIMIT_REQUESTS_PER_USER",
        "120+20/s",
        "All other requests of one user, WebSocket and HTTP.",
      ),
      searchesPerUser: rate("LIMIT_SEARCHES_PER_USER", "30+2/s", "Searches in messages by one user."),
    } satisfies Record<RateLimitName, unknown>,
    maxSessionsPerUser: integer(
      "MAX_SESSIONS_PER_USER",
      [1, 100],
      50,
      "Most sessions of one user; one more ends the one unused for longest.",
    ),
    maxSocketsPerUser: integer(
      "MAX_SOCKETS_PER_USER",
      [1, 10_000],
      10,
      "Most WebSockets of one user in one process; one more closes the oldest (4409).",
    ),
    maxSockets,
    maxGroupMembers: integer("MAX_GROUP_MEMBERS", [2, 100_000], 1000, "Most members of one group."),
  },
);
