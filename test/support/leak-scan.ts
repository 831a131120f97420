import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/logger.ts";

/*
 * Records everything the servers under test output during a run and scans it at the end for leaks: for secrets that the
 * tests sent, and for patterns such as password hashes and tokens. Logs and errors must contain none of these. Other
 * bodies and frames may contain message texts, and the responses of session routes may contain the session's tokens.
 */

const folderVariable = "MESSENGER_TEST_RECORDING";

/** Shorter texts, and repetitions of one letter, occur in other output by chance. */
const minSecretLength = 12;

const forbiddenPatterns: Record<string, RegExp> = {
  "a password hash": /\$2[aby]\$\d\d\$/,
  "an access token": /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  "a refresh token": /\b\d{1,16}\.[\w-]{43}\.[\w-]{43}/,
  SQL: /\b(?:SELECT\s.+\sFROM|INSERT INTO|UPDATE\s.+\sSET|DELETE FROM)\s/,
  "a stack trace": /(?:^|\\n|\n)\s+at .+:\d+/,
};

/** A text must not occur in logs and errors; a password must not occur in any output. */
type SecretKind = "text" | "password";

const registered = new Set<string>();

const passwordFields = ["password", "oldPassword", "newPassword"];
const sessionPaths = new Set(["/auth/register", "/auth/login", "/auth/refresh", "/auth/setup"]);

/** Open files by record name: opening a file for each of thousands of frames would be slow. */
const openFiles = new Map<string, number>();

function appendRecord(name: string, text: string): void {
  const folder = process.env[folderVariable];
  if (!folder) return;
  const file = openFiles.get(name) ?? openSync(join(folder, `${name}-${process.pid}`), "a");
  openFiles.set(name, file);
  writeSync(file, text.endsWith("\n") ? text : `${text}\n`);
}

/** Records output that must not contain any secret: logs and errors. */
export const recordOutput = (text: string): void => appendRecord("restricted", text);

/** Records a frame sent by a server. */
export function recordFrame(frame: string): void {
  appendRecord(frame.startsWith('{"error":true') ? "restricted" : "content", frame);
}

/** `fetch` that registers the passwords of the request and records the response. */
export async function recordingFetch(
  fetch: typeof globalThis.fetch,
  ...[address, init]: Parameters<typeof globalThis.fetch>
): Promise<Response> {
  for (const name of passwordFields) registerSecret(fieldsOf(init?.body)[name], "password");
  const response = await fetch(address, init);
  const { pathname } = new URL(String(address));
  // The API documents are static, and their examples contain values that the tests send.
  if (pathname.startsWith("/api")) return response;
  const body = await response.clone().text();
  if (!response.ok) recordOutput(body);
  else appendRecord("content", sessionPaths.has(pathname) ? withoutSessionTokens(body) : body);
  return response;
}

/** The body without the fields that may contain the session's tokens. */
function withoutSessionTokens(body: string): string {
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

/** Registers a secret that a server received and must not output. */
export function registerSecret(secret: unknown, kind: SecretKind): void {
  if (typeof secret !== "string" || secret.length < minSecretLength || new Set(secret).size < 2) return;
  const line = JSON.stringify(secret);
  if (registered.has(kind + line)) return;
  registered.add(kind + line);
  appendRecord(kind, line);
}

/** A logger whose output is recorded, for servers that run inside a test. */
export const recordedLog = createLogger({ level: "debug", readable: false, destination: { write: recordOutput } });

/** Starts the recording in all processes of the test run. */
export function startRecording(): void {
  process.env[folderVariable] = mkdtempSync(join(tmpdir(), "messenger-recording-"));
}

/**
 * Scans the recorded output.
 * @throws Error listing the lines that contain a secret
 */
export function checkRecording(): void {
  const folder = process.env[folderVariable];
  if (!folder) return;
  const linesOf = (name: string): string[] =>
    readdirSync(folder)
      .filter((file) => file.startsWith(name))
      .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"))
      .filter((line) => line !== "");
  const secretsOf = (kind: SecretKind): string[] => [...new Set(linesOf(kind))].map((line) => JSON.parse(line));
  const [texts, passwords] = [secretsOf("text"), secretsOf("password")];
  const findings = [
    ...findSecrets(linesOf("restricted"), [...texts, ...passwords]),
    ...findSecrets(linesOf("content"), passwords, texts),
  ];
  rmSync(folder, { recursive: true, force: true });
  if (findings.length > 0) {
    throw new Error(`the servers leaked secrets ${findings.length} times:\n${findings.slice(0, 20).join("\n")}`);
  }
}

/**
 * Returns a finding for each line that contains a secret or a forbidden pattern.
 * @param allowed texts that may occur, whatever patterns they match
 */
export function findSecrets(
  lines: readonly string[],
  secrets: readonly string[],
  allowed: readonly string[] = [],
): string[] {
  const matchSecret = createMatcher(secrets);
  const matchAllowed = createMatcher(allowed);
  const kindsIn = (line: string): string[] => {
    const kinds = Object.entries(forbiddenPatterns).flatMap(([what, pattern]) => (pattern.test(line) ? [what] : []));
    for (let position = 0; position + minSecretLength <= line.length; position++) {
      const length = matchSecret(line, position);
      if (length === 0) continue;
      kinds.push("a registered secret");
      position += length;
    }
    return kinds;
  };
  return lines.flatMap((whole) => {
    // Masking is slow and rarely needed.
    if (kindsIn(whole).length === 0) return [];
    const line = maskMatches(whole, matchAllowed);
    return kindsIn(line).map((what) => `${what}: ${line.slice(0, 500)}`);
  });
}

/** The line with each match replaced by "…". */
function maskMatches(line: string, match: ReturnType<typeof createMatcher>): string {
  let rest = "";
  for (let position = 0; position < line.length; ) {
    const length = match(line, position);
    rest += length > 0 ? "…" : line[position];
    position += length || 1;
  }
  return rest;
}

/** Returns the length of the longest text that occurs at a position of a line, plain or JSON-escaped; 0 for none. */
function createMatcher(texts: readonly string[]): (line: string, position: number) => number {
  // Texts are indexed by prefix, so that a log is scanned once for all texts. A 16-bit hash of the prefix, cheaper than
  // the prefix itself, rules out most positions.
  const hashAt = (line: string, position: number): number =>
    (line.charCodeAt(position) ^ (line.charCodeAt(position + 1) << 4) ^ (line.charCodeAt(position + 7) << 8)) & 0xffff;
  const prefixHashes = new Uint8Array(0x10000);
  const textsByPrefix = new Map<string, string[]>();
  for (const text of texts.flatMap((plain) => [plain, JSON.stringify(plain).slice(1, -1)])) {
    const prefix = text.slice(0, minSecretLength);
    prefixHashes[hashAt(text, 0)] = 1;
    textsByPrefix.set(prefix, [...(textsByPrefix.get(prefix) ?? []), text]);
  }
  return (line, position) => {
    if (!prefixHashes[hashAt(line, position)]) return 0;
    const candidates = textsByPrefix.get(line.slice(position, position + minSecretLength));
    if (!candidates) return 0;
    return Math.max(0, ...candidates.map((text) => (line.startsWith(text, position) ? text.length : 0)));
  };
}
