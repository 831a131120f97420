import { allSettings, completeEnvironment, processEnvironment, readWrittenValues } from "./read-settings.ts";
import { fileVariable } from "./secret-files.ts";

/** A setting as an administrator sees it. */
export interface DescribedSetting {
  name: string;
  /** As it is written; null if it is unset. Secrets are masked. */
  value: string | number | null;
  source: "default" | "environment" | ".env" | "file";
  unit: string | null;
}

const mask = "********";

/**
 * Every setting with its value and where it comes from. To be called before `loadSettings`, which adds the variables of
 * `.env` to those of the process.
 * @throws StartError if a setting is invalid or a line of `.env` is malformed
 */
export function describeSettings(): DescribedSetting[] {
  const all = completeEnvironment();
  const given = processEnvironment();
  const written = readWrittenValues(all);
  return allSettings.map(({ variable, unit, isSecret }) => {
    const value = written[variable] ?? null;
    const isInFile = isSecret && all[fileVariable(variable)] !== undefined;
    const source = given[variable] ? "environment" : all[variable] ? ".env" : isInFile ? "file" : "default";
    return { name: variable, value: isSecret ? masked(value) : value, source, unit: unit ?? null };
  });
}

/** A secret without what is secret of it: of the address of a service, the password. */
function masked(value: string | number | null): string | null {
  if (value === null) return null;
  const text = String(value);
  if (!URL.canParse(text) || !text.includes("://")) return mask;
  const url = new URL(text);
  if (url.password) url.password = mask;
  for (const key of url.searchParams.keys()) if (/pass/i.test(key)) url.searchParams.set(key, mask);
  return url.href;
}
