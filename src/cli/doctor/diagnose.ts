import { completeEnvironment, readSettings } from "../../config/read-settings.ts";
import type { Config } from "../../config/settings.ts";
import { StartError } from "../../errors.ts";
import { checkBackups } from "./backups.ts";
import { checkDataFolder } from "./data-folder.ts";
import { checkDatabase } from "./database.ts";
import type { Finding } from "./finding.ts";
import { checkPort, checkPublicUrl } from "./network.ts";
import { checkRedis } from "./redis.ts";
import { checkSecretFiles } from "./secret-files.ts";
import { checkSettings, checkUnknownSettings, invalidSettings } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with the set-up of this process's environment. Changes nothing; errors come first. */
export async function diagnose(): Promise<Finding[]> {
  try {
    return await diagnoseEnvironment(completeEnvironment());
  } catch (reason) {
    // A malformed line of `.env`: nothing is known about the settings.
    if (reason instanceof StartError) return [invalidSettings(reason.message)];
    throw reason;
  }
}

/** The same for given variables. @param dotenv the file `.env`: its text and path */
export async function diagnoseEnvironment(
  environment: Environment,
  dotenv: { text?: string; path?: string } = {},
): Promise<Finding[]> {
  const always = [
    ...checkUnknownSettings(environment, dotenv.text),
    ...(await checkSecretFiles(environment, dotenv.path)),
  ];
  const config = configOf(environment);
  const findings = config instanceof StartError ? [invalidSettings(config.message)] : await checkConfig(config);
  const all = [...findings, ...always];
  return [...all.filter(({ level }) => level === "error"), ...all.filter(({ level }) => level !== "error")];
}

function configOf(environment: Environment): Config | StartError {
  try {
    return readSettings(environment);
  } catch (reason) {
    if (reason instanceof StartError) return reason;
    throw reason;
  }
}

async function checkConfig(config: Config): Promise<Finding[]> {
  const { findings, diagnosis } = await checkDatabase(config);
  const others = await Promise.all([
    checkSettings(config),
    checkPublicUrl(config),
    checkDataFolder(config),
    checkRedis(config, diagnosis?.processes),
    checkPort(config),
    checkBackups(config),
  ]);
  return [...findings, ...others.flat()];
}
