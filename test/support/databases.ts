import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyFolder } from "../../src/db/copy-folder.js";
import { startEmbedded } from "../../src/db/embedded.ts";
import { migrate } from "../../src/db/migrate.ts";
import { onDatabase } from "./on-database.ts";
import { silentLog } from "./silent.ts";

/*
 * Gives each test file its own database: a copy of a template that is migrated once per test run. Databases are embedded
 * unless TEST_DATABASE_URL names a server on which the tests may create databases.
 */

const serverUrl = process.env.TEST_DATABASE_URL;
const templateVariable = "MESSENGER_TEST_TEMPLATE";

/** A test's database: the settings that select it, and its removal. */
export interface TestDatabase {
  settings: Record<string, string> & { DATABASE_URL?: string; DATA_DIR: string };
  remove(): Promise<void>;
}

export const onServer = serverUrl !== undefined;

const temporaryFolder = () => mkdtemp(join(tmpdir(), "messenger-test-"));

const databaseUrl = (name: string): string => {
  const url = new URL(serverUrl ?? "");
  url.pathname = `/${name}`;
  return url.href;
};

const onMaintenance = (sql: string) => onDatabase(serverUrl ?? "", (client) => client.query(sql));

/** Creates the migrated template. Its name is passed to the test files in an environment variable. */
export async function makeTemplate(): Promise<void> {
  if (onServer) {
    const name = `messenger_test_${process.pid}_template`;
    await onMaintenance(`CREATE DATABASE ${name}`);
    await migrate(databaseUrl(name), silentLog);
    process.env[templateVariable] = name;
    return;
  }
  const folder = await temporaryFolder();
  const engine = await startEmbedded(folder);
  await migrate(engine.url, silentLog);
  await engine.stop();
  process.env[templateVariable] = folder;
}

export async function removeTemplate(): Promise<void> {
  const template = process.env[templateVariable];
  if (!template) return;
  if (onServer) await onMaintenance(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  else await rm(template, { recursive: true, force: true });
}

let databaseCount = 0;

/**
 * On a machine that many tests share, a statement can take seconds, and so can creating and dropping databases beside it,
 * which is no fault of the tests.
 */
const generousTimeouts = { DATABASE_ACQUIRE_TIMEOUT_SECONDS: "20", DATABASE_STATEMENT_TIMEOUT_SECONDS: "20" };

/** Creates an empty, migrated database. */
export async function makeDatabase(): Promise<TestDatabase> {
  const template = process.env[templateVariable];
  if (!template) throw new Error("no database template: jest's global setup has not run");
  const folder = await temporaryFolder();
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  if (!onServer) {
    const dataDir = join(folder, "data");
    copyFolder(template, dataDir);
    return { settings: { DATA_DIR: dataDir, ...generousTimeouts }, remove: removeFolder };
  }
  const name = `${template.replace("_template", "")}_${process.pid}_${++databaseCount}`;
  await onMaintenance(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    settings: { DATABASE_URL: databaseUrl(name), DATA_DIR: folder, ...generousTimeouts },
    async remove() {
      await onMaintenance(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await removeFolder();
    },
  };
}
