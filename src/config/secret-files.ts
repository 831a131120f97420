import { readFileSync } from "node:fs";
import { StartError } from "../errors.ts";
import type { Setting } from "./setting.ts";

/** The variable that names a file with the value of another variable, as Docker and Kubernetes provide secrets. */
export const fileVariable = (variable: string): string => `${variable}_FILE`;

/**
 * Completes an environment by the secrets that are in files.
 * @throws StartError if a secret is given twice or its file cannot be read
 */
export function withSecretFiles(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
): Record<string, string | undefined> {
  const completed = { ...environment };
  for (const { variable, isSecret } of settings) {
    const path = isSecret && environment[fileVariable(variable)];
    if (!path) continue;
    if (environment[variable])
      throw new StartError(`${variable} and ${fileVariable(variable)} are both set: unset one.`);
    completed[variable] = readSecret(fileVariable(variable), path);
  }
  return completed;
}

function readSecret(variable: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StartError(`${variable}: the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  // Editors end a file with a line break.
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new StartError(`${variable}: the file ${path} is empty.`);
  return secret;
}
