import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { quoted, readTables } from "../backup/tables.ts";

/** Rows that refer to something that does not exist. */
export interface OrphanRule {
  invariant: string;
  table: string;
  /** The columns that identify a row. */
  key: readonly string[];
  /** The columns that refer. */
  columns: readonly string[];
  /** SQL condition on the row `orphan`. */
  condition: string;
  /** Whether a repair may delete the row. Chats and the messages in them are content: somebody has to look at them. */
  isDeletable: boolean;
}

/** Rules that no foreign key states. */
const ownRules: readonly OrphanRule[] = [
  {
    invariant: "member-has-chat-and-user",
    table: "chat_members",
    key: ["chat_id", "user_id"],
    columns: [],
    condition: `NOT EXISTS (SELECT FROM chats AS c WHERE c.id = orphan.chat_id)
             OR NOT EXISTS (SELECT FROM users AS u WHERE u.id = orphan.user_id AND u.deleted_at IS NULL)`,
    isDeletable: true,
  },
  {
    invariant: "message-has-chat",
    table: "messages",
    key: ["id", "chat_id"],
    columns: [],
    condition: "NOT EXISTS (SELECT FROM chats AS c WHERE c.id = orphan.chat_id)",
    isDeletable: true,
  },
  {
    invariant: "message-has-sender",
    table: "messages",
    key: ["id", "chat_id"],
    columns: ["sender_id"],
    condition: "NOT EXISTS (SELECT FROM users AS u WHERE u.id = orphan.sender_id)",
    isDeletable: false,
  },
  {
    invariant: "forwarded-message-has-author",
    table: "messages",
    key: ["id", "chat_id"],
    columns: ["first_author_id"],
    condition: `(orphan.forwarded_from IS NULL) <> (orphan.first_author_id IS NULL)
             OR orphan.first_author_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM users AS u WHERE u.id = orphan.first_author_id)`,
    isDeletable: false,
  },
  {
    invariant: "avatar-has-owner",
    table: "avatars",
    key: ["id"],
    columns: [],
    condition: `NOT EXISTS (SELECT FROM users AS u WHERE u.avatar_id = orphan.id)
            AND NOT EXISTS (SELECT FROM chats AS c WHERE c.avatar_id = orphan.id)`,
    isDeletable: true,
  },
  ...(["users", "chats"] as const).map((table) => ({
    invariant: "avatar-exists",
    table,
    key: ["id"],
    columns: ["avatar_id"],
    condition: "orphan.avatar_id IS NOT NULL AND NOT EXISTS (SELECT FROM avatars AS a WHERE a.id = orphan.avatar_id)",
    isDeletable: false,
  })),
];

interface ForeignKeyColumns {
  table: string;
  columns: string[];
  target: string;
  targetColumns: string[];
}

/** Our own rules, and one for each foreign key of the schema. A damaged index, or a disabled trigger, can break those. */
export async function orphanRules(database: Database, transaction?: Transaction): Promise<OrphanRule[]> {
  const tables = await readTables(database, transaction);
  const keys = await select<ForeignKeyColumns>(
    database,
    `SELECT t.relname AS "table", target.relname AS target,
            (SELECT json_agg(a.attname ORDER BY place)
               FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
               JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.number) AS columns,
            (SELECT json_agg(a.attname ORDER BY place)
               FROM unnest(f.confkey) WITH ORDINALITY AS k (number, place)
               JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.number) AS "targetColumns"
       FROM pg_constraint AS f
       JOIN pg_class AS t ON t.oid = f.conrelid
       JOIN pg_class AS target ON target.oid = f.confrelid
       JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
      WHERE f.contype = 'f' AND f.conparentid = 0
      ORDER BY t.relname, f.conname`,
    {},
    transaction,
  );
  const ofKeys = keys
    // Those of members are part of our own rule.
    .filter(({ table }) => table !== "chat_members")
    .map(({ table, columns, target, targetColumns }): OrphanRule => {
      const isGiven = columns.map((column) => `orphan.${quoted(column)} IS NOT NULL`);
      const isEqual = columns.map(
        (column, index) => `target.${quoted(targetColumns[index] ?? "")} = orphan.${quoted(column)}`,
      );
      return {
        invariant: "reference-exists",
        table,
        key: tables.find(({ name }) => name === table)?.primaryKey ?? columns,
        columns,
        condition: `${isGiven.join(" AND ")} AND NOT EXISTS (SELECT FROM ${quoted(target)} AS target WHERE ${isEqual.join(" AND ")})`,
        isDeletable: table !== "chats",
      };
    });
  return [...ownRules, ...ofKeys];
}

/** A row that refers to something that does not exist. */
export interface Orphan {
  invariant: string;
  table: string;
  [column: string]: unknown;
}

const camelCase = (column: string): string => column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const selection = ({ key, columns }: OrphanRule): string =>
  [...new Set([...key, ...columns])]
    .map((column) => `orphan.${quoted(column)} AS ${quoted(camelCase(column))}`)
    .join(", ");

/** Lists the rows that violate a rule. */
export async function findOrphans(
  database: Database,
  rule: OrphanRule,
  limit: number,
  transaction?: Transaction,
): Promise<Orphan[]> {
  const rows = await select<object>(
    database,
    `SELECT ${selection(rule)} FROM ${quoted(rule.table)} AS orphan
      WHERE ${rule.condition}
      ORDER BY ${rule.key.map((column) => `orphan.${quoted(column)}`).join(", ")}
      LIMIT $limit`,
    { limit },
    transaction,
  );
  return rows.map((row) => describe(rule, row));
}

/** Deletes the rows that violate a rule. @returns them */
export async function deleteOrphans(database: Database, rule: OrphanRule, transaction: Transaction): Promise<Orphan[]> {
  const rows = await select<object>(
    database,
    `DELETE FROM ${quoted(rule.table)} AS orphan WHERE ${rule.condition} RETURNING ${selection(rule)}`,
    {},
    transaction,
  );
  return rows.map((row) => describe(rule, row));
}

/** The id of a message is called so everywhere else. */
function describe({ invariant, table }: OrphanRule, row: object): Orphan {
  const { id, ...others } = row as { id?: unknown };
  return { invariant, table, ...(id !== undefined && { [table === "messages" ? "messageId" : "id"]: id }), ...others };
}
