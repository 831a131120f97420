import { readFileSync } from "node:fs";
import { StartError } from "../errors.ts";

/** The form of an assignment in `.env`, as `dotenv` reads it; a quoted value may span several lines. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^\r\n]*)[ \t]*(?:#.*)?$/gm;

/** The text of the file `.env` in the current folder; empty if there is none. */
export function readDotenv(): string {
  try {
    return readFileSync(".env", "utf8");
  } catch {
    return "";
  }
}

/**
 * The variables that a `.env` file assigns.
 * @throws StartError naming the line that is neither an assignment nor a comment; not its text, which may be a secret
 */
function variablesOf(dotenvText: string): string[] {
  const variables: string[] = [];
  // Assignments are replaced by as many line breaks as they contain, so that the numbers of the other lines stay.
  const rest = dotenvText.replace(assignment, (match, variable: string) => {
    variables.push(variable);
    return match.replace(/[^\n]/g, "");
  });
  const wrong = rest.split("\n").findIndex((line) => !/^\s*(#.*)?$/.test(line));
  if (wrong >= 0)
    throw new StartError(`Line ${wrong + 1} of .env is not a setting: write NAME=value, or # for a comment.`);
  return variables;
}

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
  return settings.find((setting) => editDistance(variable, setting) <= maxDistance);
}

/**
 * Sentences about variables that have no effect: those in `.env` that are no settings, and those of the environment that
 * look like misspelled settings.
 * @throws StartError if a line of `.env` is malformed
 */
export function unknownSettings(
  settings: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  dotenvText = readDotenv(),
): string[] {
  const inFile = variablesOf(dotenvText).filter((variable) => !settings.includes(variable));
  const misspelled = Object.keys(environment).filter(
    (variable) => !settings.includes(variable) && !inFile.includes(variable) && similarTo(variable, settings),
  );
  return [
    ...inFile.map((variable) => sentenceOn(variable, " in .env", similarTo(variable, settings))),
    ...misspelled.map((variable) => sentenceOn(variable, "", similarTo(variable, settings))),
  ];
}

const sentenceOn = (variable: string, place: string, similar: string | undefined): string =>
  `${variable}${place} is not a setting and has no effect${similar ? `; did you mean ${similar}?` : ""}`;
