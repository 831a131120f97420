import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/logger.ts";

/*
 * What the servers under test say is kept for the whole run and looked through at its end, for what the tests confided to
 * them and for what looks like a secret: logs and errors, and every other body and frame as well. These may hold what
 * people wrote, and one kind of answer may hold tokens, those that it is about.
 */

const folderVariable = "MESSENGER_TEST_EVIDENCE";

/** Shorter texts could stand in a sentence of ours by chance, and those of one letter in another text. */
const shortestSecret = 12;

const forbidden: Record<string, RegExp> = {
  "a hash of a password": /\$2[aby]\$\d\d\$/,
  "an access token": /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  "a refresh token": /\b\d{1,16}\.[\w-]{43}\.[\w-]{43}/,
  SQL: /\b(?:SELECT\s.+\sFROM|INSERT INTO|UPDATE\s.+\sSET|DELETE FROM)\s/,
  "a stack": /(?:^|\\n|\n)\s+at .+:\d+/,
};

/** Where a server may say it: never in a log or an error, or nowhere at all. */
type Secret = "text" | "password";

const confided = new Set<string>();

const passwordFields = ["password", "oldPassword", "newPassword"];
const sessionPaths = new Set(["/auth/register", "/auth/login", "/auth/refresh"]);

/** Open files by what is kept in them: what is said by thousands of frames is not worth opening one for each. */
const files = new Map<string, number>();

function keep(name: string, text: string): void {
  const folder = process.env[folderVariable];
  if (!folder) return;
  const file = files.get(name) ?? openSync(join(folder, `${name}-${process.pid}`), "a");
  files.set(name, file);
  writeSync(file, text.endsWith("\n") ? text : `${text}\n`);
}

/** Notes what a server said in a log or in an error, where nothing secret may be. */
export const witness = (said: string): void => keep("said", said);

/** Notes a frame that a server sent. */
export function witnessFrame(frame: string): void {
  keep(frame.startsWith('{"error":true') ? "said" : "sent", frame);
}

/** Calls a server, as `fetch` does, and notes what it is told and what it answers. */
export async function witnessedFetch(
  fetch: typeof globalThis.fetch,
  ...[address, init]: Parameters<typeof globalThis.fetch>
): Promise<Response> {
  for (const name of passwordFields) confide(fieldsOf(init?.body)[name], "password");
  const response = await fetch(address, init);
  const { pathname } = new URL(String(address));
  // The documents were made before there was anything to tell; and their examples are what tests send.
  if (pathname.startsWith("/api")) return response;
  const body = await response.clone().text();
  if (!response.ok) witness(body);
  else keep("sent", sessionPaths.has(pathname) ? withoutItsTokens(body) : body);
  return response;
}

/** What a session is about may be in it, in its place and nowhere else. */
function withoutItsTokens(body: string): string {
  const { token: _token, refreshToken: _refreshToken, ...rest } = fieldsOf(body);
  return JSON.stringify(rest);
}

function fieldsOf(body: unknown): Record<string, unknown> {
  try {
    return Object(JSON.parse(String(body)));
  } catch {
    return {};
  }
}

/** Notes what a server was told and must not repeat. */
export function confide(secret: unknown, kind: Secret): void {
  if (typeof secret !== "string" || secret.length < shortestSecret || new Set(secret).size < 2) return;
  const line = JSON.stringify(secret);
  if (confided.has(kind + line)) return;
  confided.add(kind + line);
  keep(kind, line);
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
  const secretsOf = (kind: Secret): string[] => [...new Set(linesOf(kind))].map((line) => JSON.parse(line));
  const [texts, passwords] = [secretsOf("text"), secretsOf("password")];
  const findings = [
    ...findSecrets(linesOf("said"), [...texts, ...passwords]),
    ...findSecrets(linesOf("sent"), passwords, texts),
  ];
  rmSync(folder, { recursive: true, force: true });
  if (findings.length > 0) {
    throw new Error(`a server said what it must not, ${findings.length} times:\n${findings.slice(0, 20).join("\n")}`);
  }
}

/**
 * Which of these lines hold a secret, or what looks like one.
 * @param mayBeSaid texts that may look like anything
 */
export function findSecrets(
  lines: readonly string[],
  secrets: readonly string[],
  mayBeSaid: readonly string[] = [],
): string[] {
  const find = finder(secrets);
  const findHarmless = finder(mayBeSaid);
  const kindsIn = (line: string): string[] => {
    const kinds = Object.entries(forbidden).flatMap(([what, pattern]) => (pattern.test(line) ? [what] : []));
    for (let place = 0; place + shortestSecret <= line.length; place++) {
      const length = find(line, place);
      if (length === 0) continue;
      kinds.push("what a test confided");
      place += length;
    }
    return kinds;
  };
  return lines.flatMap((whole) => {
    // Hardly any line has to be looked at twice.
    if (kindsIn(whole).length === 0) return [];
    const line = without(whole, findHarmless);
    return kindsIn(line).map((what) => `${what}: ${line.slice(0, 500)}`);
  });
}

/** The line with a gap for each text that is found in it. */
function without(line: string, find: ReturnType<typeof finder>): string {
  let rest = "";
  for (let place = 0; place < line.length; ) {
    const length = find(line, place);
    rest += length > 0 ? "…" : line[place];
    place += length || 1;
  }
  return rest;
}

/** Says how long the longest of these texts is that stands at this place of a line, plain or written as JSON. */
function finder(texts: readonly string[]): (line: string, place: number) => number {
  // By their beginnings, so that a long log is read once and not once for each text; a number that some beginnings have in
  // common is quicker to make than a beginning, and rules most places out.
  const numberAt = (line: string, place: number): number =>
    (line.charCodeAt(place) ^ (line.charCodeAt(place + 1) << 4) ^ (line.charCodeAt(place + 7) << 8)) & 0xffff;
  const numbers = new Uint8Array(0x10000);
  const byBeginning = new Map<string, string[]>();
  for (const text of texts.flatMap((plain) => [plain, JSON.stringify(plain).slice(1, -1)])) {
    const beginning = text.slice(0, shortestSecret);
    numbers[numberAt(text, 0)] = 1;
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), text]);
  }
  return (line, place) => {
    if (!numbers[numberAt(line, place)]) return 0;
    const candidates = byBeginning.get(line.slice(place, place + shortestSecret));
    if (!candidates) return 0;
    return Math.max(0, ...candidates.map((text) => (line.startsWith(text, place) ? text.length : 0)));
  };
}
