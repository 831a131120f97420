import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { quoted, type StoredTable } from "./tables.ts";

/** A foreign key, with what creates it again. */
export interface ForeignKey {
  table: string;
  name: string;
  definition: string;
}

/**
 * Prepares tables to be filled in any order: without the rows that migrations have inserted, foreign keys and triggers.
 * @returns the foreign keys, for `finishLoading`
 */
export async function prepareLoading(database: Database, tables: readonly StoredTable[]): Promise<ForeignKey[]> {
  const foreignKeys = await readForeignKeys(database);
  for (const { table, name } of foreignKeys) {
    await database.query(`ALTER TABLE ${quoted(table)} DROP CONSTRAINT ${quoted(name)}`);
  }
  for (const { name } of tables) await database.query(`ALTER TABLE ${quoted(name)} DISABLE TRIGGER USER`);
  await truncate(database, tables);
  return foreignKeys;
}

/** Creates the foreign keys again, which checks all rows, and enables the triggers. */
export async function finishLoading(
  database: Database,
  tables: readonly StoredTable[],
  foreignKeys: readonly ForeignKey[],
): Promise<void> {
  for (const { table, name, definition } of foreignKeys) {
    await database.query(`ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`);
  }
  for (const { name } of tables) await database.query(`ALTER TABLE ${quoted(name)} ENABLE TRIGGER USER`);
}

/** Removes all rows of tables to which no other refers. */
async function truncate(database: Database, tables: readonly StoredTable[]): Promise<void> {
  if (tables.length > 0) await database.query(`TRUNCATE ${tables.map(({ name }) => quoted(name)).join(", ")}`);
}

function readForeignKeys(database: Database): Promise<ForeignKey[]> {
  return select<ForeignKey>(
    database,
    `SELECT t.relname AS "table", f.conname AS name, pg_get_constraintdef(f.oid) AS definition
       FROM pg_constraint AS f
       JOIN pg_class AS t ON t.oid = f.conrelid
       JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
      WHERE f.contype = 'f' AND f.conparentid = 0
      ORDER BY t.relname, f.conname`,
    {},
  );
}

/** Continues sequences after the values that they had; one that the schema does not have is left out. */
export async function restoreSequences(database: Database, last: Readonly<Record<string, string>>): Promise<void> {
  await select(
    database,
    `SELECT setval(c.oid::regclass, given.value::bigint)
       FROM json_each_text($last::json) AS given
       JOIN pg_class AS c ON c.relkind = 'S' AND c.relname = given.key
       JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()`,
    { last: JSON.stringify(last) },
  );
}

/** What a restore must not destroy. */
export interface Occupation {
  hasUsers: boolean;
  /** Whether a server uses the database, or did a few seconds ago. */
  isInUse: boolean;
}

/** Index: the primary keys. */
export async function findOccupation(database: Database, tables: readonly StoredTable[]): Promise<Occupation> {
  const has = (name: string) => tables.some((table) => table.name === name);
  const exists = async (query: string): Promise<boolean> => (await select(database, `${query} LIMIT 1`, {})).length > 0;
  return {
    hasUsers: has("users") && (await exists("SELECT id FROM users")),
    isInUse:
      has("server_processes") &&
      (await exists("SELECT id FROM server_processes WHERE seen_at > clock_timestamp() - interval '10 seconds'")),
  };
}

/** Updates the statistics of the planner, which knows nothing of the new rows. */
export async function analyze(database: Database, tables: readonly StoredTable[]): Promise<void> {
  for (const { name } of tables) await database.query(`ANALYZE ${quoted(name)}`);
}

/** Notes the files of a new embedded database, which are no copy of earlier ones. */
export async function noteFiles(database: Database, files: string | undefined): Promise<void> {
  await select(database, "UPDATE server_state SET embedded_files = $files", { files: files ?? null });
}

/** A table of links that were mailed or handed out, each of which lets its holder into an account. */
const oneTimeTokens = "one_time_tokens";

/** Deletes the one-time tokens, in a schema that has them. */
export async function deleteOneTimeTokens(database: Database, tables: readonly StoredTable[]): Promise<void> {
  if (tables.some(({ name }) => name === oneTimeTokens)) await select(database, `DELETE FROM ${oneTimeTokens}`, {});
}
