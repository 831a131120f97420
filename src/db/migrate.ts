import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { QueryInterface } from "sequelize";
import { SequelizeStorage, Umzug } from "umzug";
import type { Logger } from "../logger.ts";
import { connectForMigrations } from "./connect.ts";

interface Migration {
  up(queryInterface: QueryInterface): Promise<unknown>;
  down(queryInterface: QueryInterface): Promise<unknown>;
}

/** Key of the advisory lock of migrations; an arbitrary number. */
const migrationLock = 7_238_645_113;

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * Runs the pending migrations in `migrations/`. If several processes start at once, one migrates and the others wait.
 * Uses the files and names of `sequelize-cli` (`.sequelizerc`), so either can continue where the other stopped.
 * @returns the names of the migrations it ran
 */
export async function migrate(url: string, log: Logger): Promise<string[]> {
  const database = connectForMigrations(url);
  try {
    await database.query(`SELECT pg_advisory_lock(${migrationLock})`);
    const umzug = new Umzug({
      migrations: {
        glob: ["*.cjs", { cwd: folder }],
        resolve: ({ name, path, context }) => {
          const migration: Migration = require(path as string);
          return { name, up: () => migration.up(context), down: () => migration.down(context) };
        },
      },
      context: database.getQueryInterface(),
      storage: new SequelizeStorage({ sequelize: database }),
      logger: undefined,
    });
    const done = await umzug.up();
    for (const { name } of done) log.info({ migration: name }, "migrated");
    return done.map(({ name }) => name);
  } finally {
    await database.close();
  }
}
