import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { quoted } from "../backup/tables.ts";

interface OwnedSequence {
  sequence: string;
  table: string;
  column: string;
}

/** A sequence that would assign an id again. */
export interface LowSequence {
  sequence: string;
  last: number;
  maxId: number;
}

/** Finds sequences that are behind the ids of their table. Indexes: the primary keys. */
export async function findLowSequences(database: Database, transaction?: Transaction): Promise<LowSequence[]> {
  const owned = await select<OwnedSequence>(
    database,
    `SELECT s.relname AS sequence, t.relname AS "table", a.attname AS "column"
       FROM pg_depend AS d
       JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
       JOIN pg_class AS t ON t.oid = d.refobjid
       JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
       JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      ORDER BY s.relname`,
    {},
    transaction,
  );
  const low: LowSequence[] = [];
  for (const { sequence, table, column } of owned) {
    // The sequence is read last: ids that are assigned meanwhile are below it.
    const rows = await select<Omit<LowSequence, "sequence">>(
      database,
      `WITH ids AS MATERIALIZED (SELECT max(${quoted(column)}) AS "maxId" FROM ${quoted(table)})
       SELECT "maxId", last FROM (
              SELECT "maxId", COALESCE((SELECT pg_sequence_last_value($sequence::regclass) WHERE "maxId" IS NOT NULL), 0) AS last
                FROM ids) AS found
        WHERE "maxId" > last`,
      { sequence: quoted(sequence) },
      transaction,
    );
    low.push(...rows.map((row) => ({ sequence, ...row })));
  }
  return low;
}

/** Raises sequences to the ids of their tables. @returns those that it raised */
export async function raiseSequences(database: Database, transaction: Transaction): Promise<LowSequence[]> {
  const low = await findLowSequences(database, transaction);
  for (const { sequence, maxId } of low) {
    const values = { sequence: quoted(sequence), maxId };
    await select(database, "SELECT setval($sequence::regclass, $maxId::bigint)", values, transaction);
  }
  return low;
}
