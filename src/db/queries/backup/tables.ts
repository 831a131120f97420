import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { markTable } from "./restore-mark.ts";

/** A table as the catalogue of PostgreSQL describes it. */
export interface StoredTable {
  name: string;
  /** Without generated columns: PostgreSQL computes those again. */
  columns: readonly { name: string; type: string }[];
  /** The names of its columns, in their order. */
  primaryKey: readonly string[];
}

/**
 * Tables whose rows are no part of a backup: those of running processes; mails, which must not be sent a second time; what
 * search finds, which is derived from the messages again; and what restores write themselves.
 */
export const leftOutTables: ReadonlySet<string> = new Set([
  "server_processes",
  "mail_outbox",
  "message_texts",
  "chat_texts",
  "SequelizeMeta",
  markTable,
]);

/** All tables of the schema, by name, except those of extensions. */
export async function readTables(database: Database, transaction?: Transaction): Promise<StoredTable[]> {
  const tables = await select<Omit<StoredTable, "primaryKey"> & { primaryKey: string[] | null }>(
    database,
    `SELECT c.relname AS name,
            (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                             ORDER BY a.attnum)
               FROM pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
            (SELECT json_agg(a.attname ORDER BY array_position(i.indkey::smallint[], a.attnum))
               FROM pg_index AS i
               JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
              WHERE i.indrelid = c.oid AND i.indisprimary) AS "primaryKey"
       FROM pg_class AS c
       JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
        AND NOT EXISTS (SELECT FROM pg_depend AS d
                         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY c.relname`,
    {},
    transaction,
  );
  return tables.map(({ primaryKey, ...table }) => ({ ...table, primaryKey: primaryKey ?? [] }));
}

/** The last value that each sequence of the schema has assigned, as text; those that were never used are left out. */
export async function readSequences(database: Database, transaction?: Transaction): Promise<Record<string, string>> {
  const rows = await select<{ name: string; last: string }>(
    database,
    `SELECT c.relname AS name, pg_sequence_last_value(s.seqrelid)::text AS last
       FROM pg_sequence AS s
       JOIN pg_class AS c ON c.oid = s.seqrelid
       JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()
      WHERE pg_sequence_last_value(s.seqrelid) IS NOT NULL
      ORDER BY c.relname`,
    {},
    transaction,
  );
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]));
}

/** The names of the migrations that the database has, the oldest first. */
export async function readMigrations(database: Database, transaction?: Transaction): Promise<string[]> {
  const rows = await select<{ name: string }>(
    database,
    'SELECT name FROM "SequelizeMeta" ORDER BY name',
    {},
    transaction,
  );
  return rows.map(({ name }) => name);
}

/** Where and when the rows were read. */
export interface Origin {
  createdAt: string;
  postgresql: string;
  epoch: string;
}

export async function readOrigin(database: Database, transaction?: Transaction): Promise<Origin> {
  const [row] = await select<Origin>(
    database,
    `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt",
            split_part(current_setting('server_version'), ' ', 1) AS postgresql,
            server_epoch() AS epoch`,
    {},
    transaction,
  );
  if (!row) throw new Error("the database returned no row");
  return row;
}

/** An identifier in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text in SQL, for names from the catalogue, of which a statement has any number. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
