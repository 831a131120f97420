import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbedded } from "../../src/db/embedded.ts";
import { migrate } from "../../src/db/migrate.ts";
import { onDatabase } from "./on-database.ts";
import { silent } from "./silent.ts";

/*
 * Where each test file gets its own database from: a copy of one that was migrated once for the whole run. Embedded
 * unless TEST_DATABASE_URL names a server, on which it may create databases.
 */

const serverUrl = process.env.TEST_DATABASE_URL;
const templateVariable = "MESSENGER_TEST_TEMPLATE";

/** What the messenger's settings need, and what takes the database away again. */
export interface TestDatabase {
  settings: { DATABASE_URL?: string; DATA_DIR: string };
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

/** Makes the migrated template; its name reaches the test files through the environment. */
export async function makeTemplate(): Promise<void> {
  if (onServer) {
    const name = `messenger_test_${process.pid}_template`;
    await onMaintenance(`CREATE DATABASE ${name}`);
    await migrate(databaseUrl(name), silent);
    process.env[templateVariable] = name;
    return;
  }
  const folder = await temporaryFolder();
  const engine = await startEmbedded(folder);
  await migrate(engine.url, silent);
  await engine.stop();
  process.env[templateVariable] = folder;
}

export async function removeTemplate(): Promise<void> {
  const template = process.env[templateVariable];
  if (!template) return;
  if (onServer) await onMaintenance(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  else await rm(template, { recursive: true, force: true });
}

let made = 0;

/** A database of its own for the caller, empty and migrated. */
export async function makeDatabase(): Promise<TestDatabase> {
  const template = process.env[templateVariable];
  if (!template) throw new Error("no template: is this running under jest's global set-up?");
  const folder = await temporaryFolder();
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  if (!onServer) {
    await cp(template, folder, { recursive: true });
    return { settings: { DATA_DIR: folder }, remove: removeFolder };
  }
  const name = `${template.replace("_template", "")}_${process.pid}_${++made}`;
  await onMaintenance(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    settings: { DATABASE_URL: databaseUrl(name), DATA_DIR: folder },
    async remove() {
      await onMaintenance(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await removeFolder();
    },
  };
}
