import { readFileSync } from "node:fs";
import { StartError } from "../errors.ts";

/** The form of an assignment in `.env`, as `dotenv` reads it; a quoted value may span several lines. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^\r\n]*)[ \t]*(?:#.*)?$/gm;

/**
 * The text of the file `.env` in the current folder; empty if there is none.
 * @throws StartError if it cannot be read
 */
export function readDotenv(): string {
  try {
    return readFileSync(".env", "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    throw new StartError(`The file .env cannot be read (${code}): make it readable, or remove it.`);
  }
}

/**
 * The variables that a `.env` file assigns.
 * @throws StartError naming the line that is neither an assignment nor a comment; not its text, which may be a secret
 */
export function variablesOf(dotenvText: string): string[] {
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
