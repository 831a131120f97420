import { Computed, type Group, type Setting, settingsOf, Unset } from "../src/config/setting.ts";
import { settings } from "../src/config/settings.ts";

// `.env.example` and docs/operations/settings.md, from the declarations of the settings.

const groups: readonly Group[] = Object.values(settings);
const lineWidth = 120;

/** Breaks a text into comment lines. */
function comment(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length + "# ".length < lineWidth) lines[lines.length - 1] = line ? `${line} ${word}` : word;
    else lines.push(word);
  }
  return lines.map((line) => `# ${line}`).join("\n");
}

const allowedValues = ({ allowed, unit }: Setting): string => (unit ? `${allowed} ${unit}` : allowed);

function defaultInWords({ fallback }: Setting): string {
  if (fallback instanceof Unset) return `Unset: ${fallback.words}.`;
  return fallback instanceof Computed ? `Default: ${fallback.words}.` : "";
}

function exampleOf(setting: Setting): string {
  const { variable, meaning, fallback, example = "" } = setting;
  const value = fallback instanceof Unset || fallback instanceof Computed ? example : fallback;
  const rule = `Allowed: ${allowedValues(setting)}. ${defaultInWords(setting)}`.trimEnd();
  return `${comment(meaning)}\n${comment(rule)}\n# ${variable}=${value}\n`;
}

function exampleOfGroup({ title, note, members }: Group): string {
  const heading = `# ${`--- ${title} `.padEnd(lineWidth - 2, "-")}\n`;
  return [heading, ...(note ? [`${comment(note)}\n`] : []), ...settingsOf(members).map(exampleOf)].join("\n");
}

/** The file `.env.example`. */
export const envExample = (): string => `# Written by \`npm run docs\`. Copy to \`.env\` and uncomment what you change.
#
# Everything is optional in development; production needs JWT_SECRET. A value below is the default, except for the
# examples of DATABASE_URL, REDIS_URL, PUBLIC_URL and BACKUP_EVERY. Variables of the process override this file; an empty
# one counts as unset.

${groups.map(exampleOfGroup).join("\n")}`;

function rowOf(setting: Setting): string {
  const { variable, meaning, fallback } = setting;
  const isFixed = !(fallback instanceof Unset || fallback instanceof Computed);
  const unset = fallback instanceof Unset ? `unset: ${fallback.words}` : "";
  const shown = isFixed ? `\`${fallback}\`` : fallback instanceof Computed ? fallback.words : unset;
  return `| \`${variable}\` | ${meaning} | ${shown} | ${allowedValues(setting)} |`;
}

const tableOf = ({ title, note, members }: Group): string => `## ${title}
${note ? `\n${note}\n` : ""}
| variable | meaning | default | allowed values |
| --- | --- | --- | --- |
${settingsOf(members).map(rowOf).join("\n")}
`;

/** The page docs/operations/settings.md. */
export const settingsPage = (): string => `# Settings

<!-- Written by \`npm run docs\` from src/config. -->

Settings are environment variables. A file \`.env\` in the working directory completes them; variables of the process
override it, and an empty variable counts as unset. A value that breaks a rule stops the start with an error that names the
variable. [\`.env.example\`](../../.env.example) is a template with every variable.

${groups.map(tableOf).join("\n")}`;
