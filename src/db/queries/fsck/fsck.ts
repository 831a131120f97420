import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { chatInvariants, tableInvariants } from "./invariants.ts";
import { findOrphans, orphanRules } from "./references.ts";
import { findLowSequences } from "./sequences.ts";

/** A place where the data is not as the server leaves it. */
export interface Violation {
  /** The name of the invariant. */
  invariant: string;
  chatId?: number;
  /** What identifies the row, and the numbers that do not fit. */
  [detail: string]: unknown;
}

/** Chats that are checked in one statement. */
const chatsPerStatement = 200;
/** More violations of one invariant are not listed. */
const maxListed = 1000;

/**
 * Checks all invariants. Chats are read in slices, each in one snapshot of its own, so that no transaction is long.
 * @param chatId only this chat
 */
export async function findViolations(
  database: Database,
  chatId?: number,
): Promise<{ violations: Violation[]; chats: number }> {
  const violations: Violation[] = [];
  let chats = 0;
  for (let after = chatId === undefined ? 0 : chatId - 1; ; ) {
    const limit = chatId === undefined ? chatsPerStatement : 1;
    const ids = await chatIdsAfter(database, after, limit);
    const checked = chatId === undefined ? ids : ids.filter((id) => id === chatId);
    if (checked.length === 0) break;
    chats += checked.length;
    await database.transaction({ isolationLevel: "REPEATABLE READ", readOnly: true } as object, async (transaction) => {
      for (const [invariant, sql] of Object.entries(chatInvariants)) {
        violations.push(...(await violationsOf(database, invariant, sql, { ids: checked }, transaction)));
      }
    });
    after = checked.at(-1) ?? after;
    if (chatId !== undefined) break;
  }
  if (chatId === undefined) {
    for (const [invariant, sql] of Object.entries(tableInvariants)) {
      violations.push(...(await violationsOf(database, invariant, sql, {})));
    }
    for (const rule of await orphanRules(database)) violations.push(...(await findOrphans(database, rule, maxListed)));
    const low = await findLowSequences(database);
    violations.push(...low.map((sequence) => ({ invariant: "sequence-not-below-ids", ...sequence })));
    violations.push(...(await damagedIndexes(database)));
  }
  return { violations, chats };
}

/** Index: the primary key of chats. */
async function chatIdsAfter(database: Database, after: number, limit: number): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    "SELECT id FROM chats WHERE id > $after ORDER BY id LIMIT $limit",
    { after, limit },
  );
  return rows.map(({ id }) => id);
}

async function violationsOf(
  database: Database,
  invariant: string,
  sql: string,
  values: Record<string, unknown>,
  transaction?: Transaction,
): Promise<Violation[]> {
  const rows = await select<Record<string, unknown>>(database, `${sql} LIMIT ${maxListed}`, values, transaction);
  return rows.map((row) => ({ invariant, ...row }));
}

/** Checks the indexes of all tables with the extension `amcheck`, where it is installed. */
async function damagedIndexes(database: Database): Promise<Violation[]> {
  const [found] = await select<{ isThere: boolean }>(
    database,
    `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck') AS "isThere"`,
    {},
  );
  if (!found?.isThere) return [];
  const indexes = await select<{ name: string }>(
    database,
    `SELECT i.indexrelid::regclass::text AS name
       FROM pg_index AS i
       JOIN pg_class AS c ON c.oid = i.indexrelid
       JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree'
      WHERE c.relnamespace = current_schema()::regnamespace AND i.indisvalid
      ORDER BY name`,
    {},
  );
  const violations: Violation[] = [];
  for (const { name } of indexes) {
    try {
      await select(database, "SELECT bt_index_check($name::regclass)", { name });
    } catch (error) {
      violations.push({ invariant: "index-consistent", index: name, reason: (error as Error).message });
    }
  }
  return violations;
}
