import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { literal, quoted, type StoredTable } from "./tables.ts";

/*
 * A row is a JSON object of the texts that PostgreSQL writes for its values, and reads again without loss whatever their
 * type is: numbers of any size, times with microseconds, the null of JSON and that of SQL.
 */

/** A row as JSON, without line breaks, and its primary key, as texts. */
export interface StoredRow {
  line: string;
  key: string[];
}

/** Reads the rows after a primary key, in the order of the primary key. */
export function readRowsAfter(
  database: Database,
  table: StoredTable,
  options: { after: readonly string[] | undefined; limit: number },
  transaction: Transaction,
): Promise<StoredRow[]> {
  const { columns, primaryKey } = table;
  const names = columns.map(({ name }) => literal(name)).join(", ");
  const texts = columns.map(({ name }) => `${quoted(name)}::text`).join(", ");
  const key = primaryKey.map(quoted).join(", ");
  const typeOf = (name: string) => columns.find((column) => column.name === name)?.type;
  const { after, limit } = options;
  const start =
    after && `WHERE (${key}) > (${primaryKey.map((name, index) => `$k${index}::${typeOf(name)}`).join(", ")})`;
  return select<StoredRow>(
    database,
    `SELECT json_object(ARRAY[${names}], ARRAY[${texts}])::text AS line,
            ARRAY[${primaryKey.map((name) => `${quoted(name)}::text`).join(", ")}] AS key
       FROM ${quoted(table.name)}
      ${start ?? ""}
      ORDER BY ${key}
      LIMIT $limit`,
    { limit, ...Object.fromEntries((after ?? []).map((value, index) => [`k${index}`, value])) },
    transaction,
  );
}

/** Stores rows as `readRowsAfter` returned them. */
export async function insertRows(database: Database, table: StoredTable, lines: readonly string[]): Promise<void> {
  const names = table.columns.map(({ name }) => quoted(name));
  const values = table.columns.map(({ name, type }) => `stored.${quoted(name)}::${type}`);
  await select(
    database,
    `INSERT INTO ${quoted(table.name)} (${names.join(", ")}) OVERRIDING SYSTEM VALUE
     SELECT ${values.join(", ")}
       FROM jsonb_to_recordset($rows::jsonb) AS stored (${names.map((name) => `${name} text`).join(", ")})`,
    { rows: `[${lines.join(",")}]` },
  );
}

export async function countRows(database: Database, { name }: StoredTable): Promise<number> {
  const [row] = await select<{ rows: number }>(database, `SELECT count(*) AS rows FROM ${quoted(name)}`, {});
  return row?.rows ?? 0;
}
