import { makeSecret } from "../../config/groups/tokens.ts";
import { isGuessable, productionWeaknesses } from "../../config/production-rules.ts";
import { settingVariables } from "../../config/read-settings.ts";
import type { Config } from "../../config/settings.ts";
import { unknownSettings } from "../../config/unknown-settings.ts";
import { error, type Finding, warning, when } from "./finding.ts";

/** The finding for settings with which the server does not start. */
export const invalidSettings = (message: string): Finding =>
  error(
    message,
    "The server does not start with invalid settings.",
    "Correct the variable, or the line of .env; docs/operations/settings.md lists all settings.",
  );

/** Variables that have no effect. */
export const checkUnknownSettings = (
  environment: Readonly<Record<string, string | undefined>>,
  dotenvText?: string,
): Finding[] =>
  unknownSettings(settingVariables, environment, dotenvText).map(({ variable, similar, sentence }) =>
    warning(
      sentence,
      "What it was meant to change has its default.",
      similar ? `Rename ${variable} to ${similar}.` : `Remove ${variable}.`,
    ),
  );

/** Settings that are valid, but weaken the server. */
export const checkSettings = (config: Config): Finding[] => [
  ...checkMode(config),
  ...checkSecrets(config),
  ...when(!config.limits.enabled, () =>
    warning(
      "RATE_LIMITS is off",
      "Passwords can be guessed and messages sent without limit.",
      "Unset RATE_LIMITS; the single rates can be changed with the settings LIMIT_….",
    ),
  ),
];

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host);

function checkMode(config: Config): Finding[] {
  const { server, http, web } = config;
  if (server.environment === "production") {
    return productionWeaknesses(config).map(({ what, why, fix }) => warning(what, why, fix));
  }
  const isPublic =
    !isLoopback(http.host) || (web.publicUrl !== undefined && !isLoopback(new URL(web.publicUrl).hostname));
  return when(isPublic, () =>
    warning(
      `NODE_ENV is ${server.environment}, and the server is meant for other machines (HOST, PUBLIC_URL)`,
      "Only production refuses weak secrets and cheap password hashes, and logs JSON.",
      "Set NODE_ENV=production.",
    ),
  );
}

const checkSecrets = ({ tokens }: Config): Finding[] => [
  // Production does not start with it.
  ...when(tokens.secret !== undefined && isGuessable(tokens.secret), () =>
    warning(
      "JWT_SECRET is well known or repetitive",
      "Anybody who guesses it can act as any user.",
      `Make one with: ${makeSecret}`,
    ),
  ),
  ...when(tokens.previousSecret !== undefined, () =>
    tokens.previousSecret === tokens.secret
      ? warning(
          "JWT_SECRET_PREVIOUS is the same as JWT_SECRET",
          "It has no effect: tokens of the secret before are not accepted.",
          "Set JWT_SECRET_PREVIOUS to the secret before, or unset it.",
        )
      : warning(
          "JWT_SECRET_PREVIOUS is set",
          "Anybody who has the previous secret can still act as any user.",
          "Unset it once all clients have refreshed their tokens: after TOKEN_LIFETIME_SECONDS for those that are in use.",
        ),
  ),
];
