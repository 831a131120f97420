import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/logger.ts";

/*
 * What the servers under test say where nothing secret may be, in their logs and in the bodies of errors, is kept for the
 * whole run and looked through at its end: for what the tests confided to the servers, and for what looks like a secret.
 */

const folderVariable = "MESSENGER_TEST_EVIDENCE";

/** Shorter texts could stand in a sentence of ours by chance. */
const shortestSecret = 12;

const forbidden: Record<string, RegExp> = {
  "a hash of a password": /\$2[aby]\$\d\d\$/,
  "an access token": /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  "a refresh token": /\b\d{1,16}\.[\w-]{43}\.[\w-]{43}/,
  SQL: /\b(?:SELECT\s.+\sFROM|INSERT INTO|UPDATE\s.+\sSET|DELETE FROM)\s/,
  "a stack": /(?:^|\\n|\n)\s+at .+:\d+/,
};

const confided = new Set<string>();

function keep(name: string, text: string): void {
  const folder = process.env[folderVariable];
  if (folder) appendFileSync(join(folder, `${name}-${process.pid}`), text.endsWith("\n") ? text : `${text}\n`);
}

/** Notes what a server said, in a log or in an error. */
export const witness = (said: string): void => keep("said", said);

/** Notes what a server was told and must not repeat there: a password, or a message's text. */
export function confide(secret: unknown): void {
  if (typeof secret !== "string" || secret.length < shortestSecret || confided.has(secret)) return;
  confided.add(secret);
  keep("secret", JSON.stringify(secret));
}

/** A log that is kept, for servers that run inside a test. */
export const witnessedLog = createLogger({ level: "debug", readable: false, destination: { write: witness } });

/** Begins to keep what is said; for all processes of the run. */
export function keepEvidence(): void {
  process.env[folderVariable] = mkdtempSync(join(tmpdir(), "messenger-evidence-"));
}

/**
 * Looks through everything that was said.
 * @throws when there is a secret in it, showing where
 */
export function judgeEvidence(): void {
  const folder = process.env[folderVariable];
  if (!folder) return;
  const linesOf = (name: string): string[] =>
    readdirSync(folder)
      .filter((file) => file.startsWith(name))
      .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
      .filter((line) => line !== "");
  const secrets: string[] = linesOf("secret").map((line) => JSON.parse(line));
  const findings = findSecrets(linesOf("said"), secrets);
  rmSync(folder, { recursive: true, force: true });
  if (findings.length > 0) {
    throw new Error(`a server said what it must not, ${findings.length} times:\n${findings.slice(0, 20).join("\n")}`);
  }
}

/** Which of these lines hold a secret, or what looks like one. */
export function findSecrets(lines: readonly string[], secrets: readonly string[]): string[] {
  // By their beginnings, so that a long log is read once and not once for each secret.
  const byBeginning = new Map<string, string[]>();
  for (const secret of secrets.flatMap((plain) => [plain, JSON.stringify(plain).slice(1, -1)])) {
    const beginning = secret.slice(0, shortestSecret);
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), secret]);
  }
  return lines.flatMap((line) => {
    const kinds = Object.entries(forbidden).flatMap(([what, pattern]) => (pattern.test(line) ? [what] : []));
    for (let place = 0; place + shortestSecret <= line.length; place++) {
      const candidates = byBeginning.get(line.slice(place, place + shortestSecret)) ?? [];
      if (candidates.some((secret) => line.startsWith(secret, place))) kinds.push("what a test confided");
    }
    return kinds.map((what) => `${what}: ${line.slice(0, 500)}`);
  });
}
