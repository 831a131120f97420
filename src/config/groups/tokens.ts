import { group, seconds, secret, Unset, wholeSeconds } from "../setting.ts";

/** The command that administrators use to generate secrets. */
export const makeSecret = "openssl rand -base64 48";

export const tokenSettings = group(
  { title: "Tokens" },
  {
    secret: secret(
      "JWT_SECRET",
      { minBytes: 32, make: makeSecret },
      new Unset("generated once and kept in DATA_DIR; required in production"),
      "Signs all tokens; anybody who has it can act as any user. A new one logs everybody out, unless JWT_SECRET_PREVIOUS has the old one.",
    ),
    previousSecret: secret(
      "JWT_SECRET_PREVIOUS",
      { minBytes: 32, make: makeSecret },
      new Unset("only tokens of JWT_SECRET are accepted"),
      "Tokens signed with this secret are accepted, too: set it while JWT_SECRET is changed, so that nobody is logged out.",
    ),
    lifetimeSeconds: wholeSeconds(
      "TOKEN_LIFETIME_SECONDS",
      [1, 30 * 86_400],
      86_400,
      "Lifetime of an access token; 86400 is a day.",
    ),
    refreshLifetimeMs: seconds(
      "REFRESH_TOKEN_LIFETIME_SECONDS",
      [1, 3650 * 86_400],
      90 * 86_400,
      "Lifetime of a refresh token: how long a client can be away without logging in again; 7776000 is 90 days.",
    ),
  },
);
