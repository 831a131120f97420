import { QueryTypes, type Sequelize } from "sequelize";

/** For each migration, the newest one that a version must have to work on the schema that the migration leaves. */
export type CompatibleMigrations = Readonly<Record<string, string>>;

/** The migration that adds the column for them. */
const columnMigration = "20261130090000-compatible-migrations.cjs";

/** The names of the migrations that have run; empty in a database without a messenger. */
export async function finishedMigrations(database: Sequelize): Promise<ReadonlySet<string>> {
  const [table] = await database.query<{ exists: boolean }>(
    `SELECT to_regclass('"SequelizeMeta"') IS NOT NULL AS exists`,
    { type: QueryTypes.SELECT },
  );
  if (!table?.exists) return new Set();
  const rows = await database.query<{ name: string }>('SELECT name FROM "SequelizeMeta"', { type: QueryTypes.SELECT });
  return new Set(rows.map(({ name }) => name));
}

/** What versions with newer migrations have recorded. */
export async function compatibleMigrations(
  database: Sequelize,
  finished: ReadonlySet<string>,
): Promise<CompatibleMigrations> {
  if (!finished.has(columnMigration)) return {};
  const [row] = await database.query<{ compatible: CompatibleMigrations }>(
    "SELECT compatible_migrations AS compatible FROM server_state",
    { type: QueryTypes.SELECT },
  );
  return row?.compatible ?? {};
}

/** Records which older versions work on the schema of these migrations, for those versions. */
export async function recordCompatible(database: Sequelize, compatible: CompatibleMigrations): Promise<void> {
  await database.query(
    `UPDATE server_state SET compatible_migrations = compatible_migrations || $compatible
      WHERE NOT compatible_migrations @> $compatible`,
    { bind: { compatible: JSON.stringify(compatible) } },
  );
}
