import { stat } from "node:fs/promises";
import { allSettings } from "../../config/read-settings.ts";
import { fileVariable } from "../../config/secret-files.ts";
import { type Finding, warning } from "./finding.ts";

/** Read by everybody on the machine, or written by others than the owner. */
const tooOpen = 0o026;

/** Docker mounts secrets here, readable by all users of the container. */
const containerSecrets = "/run/secrets/";

/** Who else can read the files with secrets: those that settings name, and `.env` in the current folder. */
export async function checkSecretFiles(
  environment: Readonly<Record<string, string | undefined>>,
  dotenvPath = ".env",
): Promise<Finding[]> {
  const named = allSettings
    .filter(({ isSecret }) => isSecret)
    .flatMap(({ variable }) => environment[fileVariable(variable)] ?? [])
    .filter((path) => path !== "" && !path.startsWith(containerSecrets));
  const findings = await Promise.all([...named, dotenvPath].map(checkFile));
  return findings.flat();
}

async function checkFile(path: string): Promise<Finding[]> {
  const mode = await stat(path).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & tooOpen) === 0) return [];
  return [
    warning(
      `${path} is open to other users of the machine (mode ${(mode & 0o777).toString(8)})`,
      "Anybody who reads the secrets in it can act as any user, or open the database.",
      `chmod 600 ${path}`,
    ),
  ];
}
