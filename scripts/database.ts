// `npm run db:*`: runs sequelize-cli on the database of the messenger and passes all arguments on. The embedded database
// is started first.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import dotenv from "dotenv";
import { loadSettings } from "../src/config/read-settings.ts";
import { migrate } from "../src/db/migrate.ts";
import { startEngine } from "../src/db/open.ts";
import { StartError } from "../src/errors.ts";
import { createLogger } from "../src/logger.ts";
import deletionGuard from "./deletion-guard.cjs";

const { confirmedVariable, destructiveCommand, reasonToConfirm } = deletionGuard;

const root = fileURLToPath(new URL("..", import.meta.url));
const sequelizeCli = createRequire(import.meta.url)
  .resolve("sequelize-cli/package.json")
  .replace(/package\.json$/, "lib/sequelize");

const print = (line: string) => process.stdout.write(`${line}\n`);
const silent = createLogger({ level: "silent", readable: false });

/** Migrates like the server at start, under its lock: sequelize-cli would not wait for a server that is migrating. */
async function migrateAll(url: string): Promise<void> {
  try {
    const names = await migrate(url, silent);
    for (const name of names) print(`Migrated ${name}`);
    if (names.length === 0) print("The database is up to date.");
  } catch (error) {
    const { message, name } = error as Error;
    throw new StartError(`The database cannot be used: ${message || name}`, { cause: error });
  }
}

/** Returns the exit code. */
async function runSequelizeCli(args: string[], url: string): Promise<number> {
  const child = spawn(process.execPath, [sequelizeCli, ...args], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: url, [confirmedVariable]: "yes" },
    stdio: "inherit",
  });
  // Ctrl-C also reaches the child. This process exits after it, to close the embedded database properly.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, "exit");
  return code ?? 1;
}

/** Confirms that data is deleted, where that could be a mistake; see `deletion-guard.cjs`. */
const confirmation = "--yes-delete-everything";

async function main(allArgs: string[]): Promise<number> {
  const args = allArgs.filter((arg) => arg !== confirmation);
  const isConfirmed = args.length < allArgs.length;
  const [command = "", ...options] = args;
  const resets = command === "db:reset";
  const isDestructive = destructiveCommand(args) !== undefined;
  const seeds = /^db:seed(:all)?$/.test(command);

  // Checked before the settings: otherwise the error in production could be the missing JWT_SECRET.
  dotenv.config({ quiet: true });
  if (seeds && process.env.NODE_ENV === "production") {
    throw new StartError("Demo data cannot be loaded in production (NODE_ENV=production): its password is public.");
  }

  const reason = isDestructive && !isConfirmed ? await reasonToConfirm(process.env) : undefined;
  if (reason !== undefined) {
    throw new StartError(`${command} deletes data ${reason}. To confirm, add: -- ${confirmation}`);
  }

  const { database, server } = loadSettings();
  // Only migrating may create a database: everything else needs what is in it, and a typo in DATA_DIR must not make one.
  const mustExist = isDestructive || !/^db:(migrate|seed(:all)?|create)$/.test(command);
  const engine = await startEngine({ databaseUrl: database.url, dataDir: server.dataDir, mustExist });
  try {
    const migratesAll = command === "db:migrate" && options.length === 0;
    if (resets) {
      const code = await runSequelizeCli(["db:migrate:undo:all"], engine.url);
      if (code !== 0) return code;
    }
    if (migratesAll || seeds || resets) await migrateAll(engine.url);
    return migratesAll || resets ? 0 : await runSequelizeCli(args, engine.url);
  } finally {
    await engine.stop();
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    process.stderr.write(`${error instanceof StartError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  },
);
