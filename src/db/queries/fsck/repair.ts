import type { Transaction } from "sequelize";
import { fromCommandLine } from "../../../domain/administration.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { recordAction } from "../administration/audit.ts";
import { renewEpoch } from "../epoch.ts";
import { deleteOrphans, findOrphans, type Orphan, orphanRules } from "./references.ts";
import { raiseSequences } from "./sequences.ts";

/** More rows that refer to nothing are not listed for one rule. */
const maxListed = 1000;

/** Chats that the audit log names. */
const maxRecordedChats = 100;

/** What a repair has changed. */
export interface Repairs {
  /** Chats whose counters were raised. */
  repaired: number;
  /** Sequences that were raised. */
  sequences: number;
  /** Rows that refer to nothing, which were deleted if `areOrphansDeleted`. */
  orphans: Orphan[];
  areOrphansDeleted: boolean;
}

/**
 * Raises counters and sequences that are too low, and lists or deletes rows that refer to what does not exist. Chats, and
 * messages of existing chats, are never deleted. If anything that clients have was changed, a new epoch begins. Everything
 * happens in one transaction, with its entry in the audit log.
 * @param options.chatId only the counters of this chat
 */
export function repair(
  database: Database,
  { chatId, deletesOrphans = false }: { chatId?: number | undefined; deletesOrphans?: boolean } = {},
): Promise<Repairs> {
  return database.transaction(async (transaction) => {
    const chatIds = await repairCounters(database, chatId, transaction);
    const repaired = chatIds.length;
    const isWhole = chatId === undefined;
    const sequences = isWhole ? (await raiseSequences(database, transaction)).length : 0;
    const orphans = isWhole ? await handleOrphans(database, deletesOrphans, transaction) : [];
    const deleted = deletesOrphans ? orphans.length : 0;
    if (repaired + deleted > 0) await renewEpoch(database, transaction);
    if (repaired + sequences + deleted > 0) {
      const details = { chats: repaired, chatIds: chatIds.slice(0, maxRecordedChats), sequences, deletedRows: deleted };
      await recordAction(database, fromCommandLine, { action: "data.repair", details }, transaction);
    }
    return { repaired, sequences, orphans, areOrphansDeleted: deletesOrphans };
  });
}

/**
 * Raises the counters of chats that are lower than the messages show, and the pointer to the newest message.
 * @returns the chats that were repaired
 */
async function repairCounters(
  database: Database,
  chatId: number | undefined,
  transaction: Transaction,
): Promise<number[]> {
  const repaired = await select<{ id: number }>(
    database,
    `UPDATE chats AS c
        SET last_seq = GREATEST(c.last_seq, m.seq), version = GREATEST(c.version, m.version),
            last_message_id = CASE WHEN m.seq >= c.last_seq THEN m.newest_id ELSE c.last_message_id END
       FROM (SELECT chat_id, max(seq) AS seq, max(version) AS version,
                    (array_agg(id ORDER BY seq DESC))[1] AS newest_id
               FROM messages
              WHERE $chatId::bigint IS NULL OR chat_id = $chatId
              GROUP BY chat_id) AS m
      WHERE c.id = m.chat_id AND c.deleted_at IS NULL
        AND (c.last_seq < m.seq OR c.version < m.version
             OR c.last_seq = m.seq AND c.last_message_id IS DISTINCT FROM m.newest_id)
  RETURNING c.id`,
    { chatId: chatId ?? null },
    transaction,
  );
  return repaired.map(({ id }) => id);
}

async function handleOrphans(database: Database, deletes: boolean, transaction: Transaction): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  for (const rule of await orphanRules(database, transaction)) {
    if (!rule.isDeletable) continue;
    orphans.push(
      ...(deletes
        ? await deleteOrphans(database, rule, transaction)
        : await findOrphans(database, rule, maxListed, transaction)),
    );
  }
  return orphans;
}
