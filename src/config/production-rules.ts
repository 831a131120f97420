import { StartError } from "../errors.ts";
import { makeSecret } from "./groups/tokens.ts";
import { mailMode } from "./mail-mode.ts";
import type { Config } from "./settings.ts";

/** Lower work factors make stolen hashes cheap to guess. */
const minBcryptCost = 10;

/** Fewer different characters count as repetitive. */
const minDifferentCharacters = 8;

/** Long enough, but published in documentation. */
const wellKnownSecrets: ReadonlySet<string> = new Set([
  "a-string-secret-at-least-256-bits-long",
  "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
  "your-256-bit-secret-your-256-bit-secret",
  "please-change-me-please-change-me-please",
  "changemechangemechangemechangeme",
  "secretsecretsecretsecretsecretsecret",
  "0123456789abcdef0123456789abcdef",
  "00112233445566778899aabbccddeeff",
]);

/** Whether a secret is published or repetitive, so that it can be guessed. */
export const isGuessable = (secret: string): boolean =>
  wellKnownSecrets.has(secret.toLowerCase()) || new Set(secret).size < minDifferentCharacters;

/**
 * Checks what only production requires.
 * @throws StartError naming the variable and the rule; never the value
 */
export function assertFitForProduction(config: Config): void {
  const { tokens, passwords, mail } = config;
  if (tokens.secret === undefined) {
    throw new StartError(`JWT_SECRET is required in production; make one with: ${makeSecret}`);
  }
  if (isGuessable(tokens.secret)) {
    throw new StartError(`JWT_SECRET is well known or repetitive; make one with: ${makeSecret}`);
  }
  if (tokens.previousSecret !== undefined && isGuessable(tokens.previousSecret)) {
    throw new StartError(
      "JWT_SECRET_PREVIOUS is well known or repetitive: anybody could sign tokens with it; unset it",
    );
  }
  if (passwords.cost < minBcryptCost) {
    throw new StartError(`BCRYPT_COST below ${minBcryptCost} is refused in production`);
  }
  if (mail.verification === "required" && mailMode(config) === "none") {
    throw new StartError("EMAIL_VERIFICATION=required needs SMTP_URL, MAIL_FROM and PUBLIC_URL");
  }
}

/** Something about the settings that production accepts, but that weakens a guarantee. */
export interface Weakness {
  what: string;
  why: string;
  fix: string;
}

/** What production accepts, but warns of at start. */
export function productionWeaknesses({ database, mail, registration, web }: Config): Weakness[] {
  const weaknesses: Weakness[] = [];
  if (database.url === undefined) {
    weaknesses.push({
      what: "production uses the embedded database",
      why: "It does not wait for the disk (no fsync): a power cut can lose acknowledged messages.",
      fix: "Set DATABASE_URL to use a PostgreSQL server.",
    });
  }
  if (registration.policy === "open" && registration.domains.length === 0) {
    weaknesses.push({
      what: "everybody who reaches the server can create an account",
      why: "REGISTRATION is open, for addresses of all domains.",
      fix: "Set REGISTRATION=invite or REGISTRATION_DOMAINS to limit that.",
    });
  }
  if (mail.smtpUrl !== undefined && web.publicUrl === undefined) {
    weaknesses.push({
      what: "no mail is sent",
      why: "Links in mails need PUBLIC_URL, which is unset.",
      fix: "Set PUBLIC_URL to the address of the web client.",
    });
  }
  if (registration.domains.length > 0 && mail.verification === "off") {
    weaknesses.push({
      what: "REGISTRATION_DOMAINS is set, but e-mail addresses are not verified",
      why: "Anybody can register with an address of these domains that is not theirs.",
      fix: "Set EMAIL_VERIFICATION=required.",
    });
  }
  return weaknesses;
}

/** The same as sentences for the log. */
export const productionWarnings = (config: Config): string[] =>
  productionWeaknesses(config).map(({ what, why, fix }) => `${what}. ${why} ${fix}`);
