import dotenv from "dotenv";
import Joi from "joi";
import { StartError } from "../errors.ts";
import { readDotenv, variablesOf } from "./dotenv-file.ts";
import { assertFitForProduction, productionWarnings } from "./production-rules.ts";
import { fileVariable, withSecretFiles } from "./secret-files.ts";
import { Computed, isSetting, type Members, type Setting, settingsOf, Unset, type WrittenValue } from "./setting.ts";
import { type Config, settings } from "./settings.ts";
import { unknownSettings } from "./unknown-settings.ts";

/** Every setting, in the order of its declaration. */
export const allSettings: readonly Setting[] = Object.values(settings).flatMap(({ members }) => settingsOf(members));

function ruleOf({ rule, fallback }: Setting): Joi.Schema {
  if (fallback instanceof Unset) return rule;
  return rule.default(fallback instanceof Computed ? fallback.reference : fallback);
}

const environmentSchema = Joi.object(
  Object.fromEntries(allSettings.map((setting) => [setting.variable, ruleOf(setting)])),
).unknown(true);

const mapValues = <In, Out>(object: Readonly<Record<string, In>>, map: (value: In) => Out) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));

function valuesOf(members: Members, written: Readonly<Record<string, WrittenValue>>): unknown {
  return mapValues(members, (node) =>
    isSetting(node) ? node.convert(written[node.variable]) : valuesOf(node, written),
  );
}

function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

type Environment = Readonly<Record<string, string | undefined>>;

const withoutEmpty = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));

/** Every variable that is a setting, or names the file of one. */
export const settingVariables: readonly string[] = allSettings.flatMap(({ variable, isSecret }) =>
  isSecret ? [variable, fileVariable(variable)] : [variable],
);

/** The variables of the process. After `loadSettings` they contain those of `.env`. */
export const processEnvironment = (): Environment => process.env;

/**
 * The variables of the process, completed by the file `.env` if there is one.
 * @throws StartError if a line of `.env` is malformed
 */
export function completeEnvironment(): Environment {
  const text = readDotenv();
  variablesOf(text);
  // Node has sized its thread pool before that file is read.
  const { UV_THREADPOOL_SIZE } = process.env;
  return { ...dotenv.parse(text), ...process.env, UV_THREADPOOL_SIZE };
}

/**
 * The written value of every setting. An empty variable counts as unset.
 * @throws StartError naming the variable and the rule that it breaks; never its value
 */
export function readWrittenValues(environment: Environment): Readonly<Record<string, WrittenValue>> {
  const { error, value: written } = environmentSchema.validate(withSecretFiles(withoutEmpty(environment), allSettings));
  if (error) throw new StartError(error.message);
  return written;
}

/**
 * Reads the settings of the process.
 * @throws StartError naming the variable and the rule that it breaks; never its value
 */
export function readSettings(environment: Environment): Config {
  const written = readWrittenValues(environment);
  const config = freeze(mapValues(settings, ({ members }) => valuesOf(members, written)) as Config);
  if (config.mail.smtpUrl !== undefined && config.mail.from === undefined) {
    throw new StartError("MAIL_FROM is required with SMTP_URL: the address that mails come from");
  }
  if (config.server.environment === "production") assertFitForProduction(config);
  return config;
}

const serverBackups =
  "BACKUP_EVERY has no effect with DATABASE_URL: run `messenger backup FILE` from a timer, or back up the server";

/**
 * Sentences for the log: about variables that have no effect, and about settings that weaken a guarantee.
 * @throws StartError if a line of `.env` is malformed
 */
export const settingsWarnings = (config: Config): string[] => [
  ...unknownSettings(settingVariables, process.env).map(({ sentence }) => sentence),
  ...(config.backups.everyMs !== undefined && config.database.url !== undefined ? [serverBackups] : []),
  ...(config.server.environment === "production" ? productionWarnings(config) : []),
];

/**
 * Reads the settings from the environment, completed by the file `.env` if there is one.
 * @throws StartError as `readSettings` does, or if a line of `.env` is malformed
 */
export function loadSettings(): Config {
  // Before the settings are checked: what a malformed line should have set may be what they lack.
  const environment = completeEnvironment();
  dotenv.config({ quiet: true });
  return readSettings(environment);
}
