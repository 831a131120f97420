import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/**
 * Marks files as removed that are due and in no message: from then on no message can take them. Those that are in one again
 * are not looked at any more. Also returns those that were marked before and not deleted. Whether a file is in a message is
 * read after its lock is taken, in a statement that sees everything committed before. Index: files_to_collect.
 * @returns some files whose objects are to be deleted
 */
export async function markSomeRemoved(database: Database, limit: number): Promise<string[]> {
  return database.transaction(async (transaction) => {
    const due = await select<{ id: string }>(
      database,
      `SELECT id FROM files
        WHERE collect_at <= clock_timestamp()
        ORDER BY collect_at
        LIMIT $limit
          FOR UPDATE SKIP LOCKED`,
      { limit },
      transaction,
    );
    const ids = due.map(({ id }) => id);
    if (ids.length === 0) return [];
    const rows = await select<{ id: string; isRemoved: boolean }>(
      database,
      `UPDATE files
          SET removed_at = CASE WHEN used.is_used THEN removed_at ELSE COALESCE(removed_at, clock_timestamp()) END,
              collect_at = CASE WHEN used.is_used THEN NULL ELSE collect_at END
         FROM (SELECT id, EXISTS (SELECT FROM message_files WHERE file_id = files.id) AS is_used
                 FROM files WHERE id = ANY ($ids::uuid[])) AS used
        WHERE files.id = used.id
    RETURNING files.id, files.removed_at IS NOT NULL AS "isRemoved"`,
      { ids },
      transaction,
    );
    return rows.filter(({ isRemoved }) => isRemoved).map(({ id }) => id);
  });
}

/** Deletes the row of a removed file, whose objects are deleted. */
export async function deleteRemoved(database: Database, id: string): Promise<void> {
  await select(database, "DELETE FROM files WHERE id = $id AND removed_at IS NOT NULL", { id });
}

/** Tries a removed file again later, after its objects could not be deleted. */
export async function postponeRemoval(database: Database, id: string, seconds: number): Promise<void> {
  await select(
    database,
    "UPDATE files SET collect_at = clock_timestamp() + make_interval(secs => $seconds) WHERE id = $id",
    { id, seconds },
  );
}

/** Returns those of these ids that have a row. Index: the primary key of files. */
export async function existingFiles(database: Database, ids: readonly string[]): Promise<Set<string>> {
  const rows = await select<{ id: string }>(database, "SELECT id FROM files WHERE id = ANY ($ids::uuid[])", { ids });
  return new Set(rows.map(({ id }) => id));
}

/** Before the ids of all files. */
const firstFileId = "00000000-0000-0000-0000-000000000000";
const pageSize = 500;

/** A file that must have an object. */
interface ReadyFile {
  id: string;
  sha256: string;
  /** In bytes. */
  size: number;
  messageIds: number[];
}

/** All files that must have an object, by rising id, read in pages. Index: the primary key of files. */
export async function* readyFiles(database: Database, transaction?: Transaction): AsyncIterable<ReadyFile> {
  for (let afterId = firstFileId; ; ) {
    const page = await readyFilesAfter(database, afterId, transaction);
    yield* page;
    if (page.length < pageSize) return;
    afterId = page.at(-1)?.id ?? afterId;
  }
}

function readyFilesAfter(
  database: Database,
  afterId: string,
  transaction: Transaction | undefined,
): Promise<ReadyFile[]> {
  return select(
    database,
    `SELECT f.id, encode(f.sha256, 'hex') AS sha256, f.stored_size AS size,
            COALESCE((SELECT json_agg(message_id ORDER BY message_id) FROM message_files WHERE file_id = f.id), '[]')
              AS "messageIds"
       FROM files AS f
      WHERE f.id > $afterId AND f.state = 'ready' AND f.removed_at IS NULL
      ORDER BY f.id
      LIMIT $limit`,
    { afterId, limit: pageSize },
    transaction,
  );
}
