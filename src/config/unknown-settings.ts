import { readDotenv, variablesOf } from "./dotenv-file.ts";

/** The number of single-character insertions, deletions and replacements between two texts (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The setting that a variable is probably a misspelling of. Short names have to differ in one character only. */
function similarTo(variable: string, settings: readonly string[]): string | undefined {
  const maxDistance = variable.length < 8 ? 1 : 2;
  // The lengths differ by no more than the names do, and are compared much faster, for each variable at each start.
  const isSimilar = (setting: string) =>
    Math.abs(variable.length - setting.length) <= maxDistance && editDistance(variable, setting) <= maxDistance;
  return settings.find(isSimilar);
}

/** Beginnings of variables that are nobody else's. */
const ownPrefixes = ["BCRYPT_", "JWT_", "LIMIT_"];

const looksLikeOurs = (variable: string, settings: readonly string[]): boolean =>
  ownPrefixes.some((prefix) => variable.startsWith(prefix)) || similarTo(variable, settings) !== undefined;

/** A variable that has no effect. */
export interface UnknownSetting {
  variable: string;
  /** The setting that was probably meant. */
  similar: string | undefined;
  /** For the log. */
  sentence: string;
}

/**
 * Variables that have no effect: those in `.env` that are no settings, and those of the environment that look like ours.
 * @throws StartError if a line of `.env` is malformed
 */
export function unknownSettings(
  settings: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  dotenvText = readDotenv(),
): UnknownSetting[] {
  const inFile = variablesOf(dotenvText).filter((variable) => !settings.includes(variable));
  const misspelled = Object.keys(environment).filter(
    (variable) => !settings.includes(variable) && !inFile.includes(variable) && looksLikeOurs(variable, settings),
  );
  return [
    ...inFile.map((variable) => describe(variable, " in .env", similarTo(variable, settings))),
    ...misspelled.map((variable) => describe(variable, "", similarTo(variable, settings))),
  ];
}

const describe = (variable: string, place: string, similar: string | undefined): UnknownSetting => ({
  variable,
  similar,
  sentence: `${variable}${place} is not a setting and has no effect${similar ? `; did you mean ${similar}?` : ""}`,
});
