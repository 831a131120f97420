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

/** An arbitrary number that stands for "migrating this product" among the database's advisory locks. */
const migrationLock = 7_238_645_113;

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * Brings the tables up to date with `migrations/`. Several processes may start at once: one migrates, the others wait
 * for it. The same files and the same names as `sequelize-cli` (`.sequelizerc`), so either can go on from the other.
 * @returns the names of the migrations that this call ran
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
