import type { Transaction } from "sequelize";
import type { FileInfo, FileState } from "../../../domain/file.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A file and what is stored of it. */
export interface StoredFile extends FileInfo {
  ownerId: number;
  /** As the uploader has declared it, in bytes. */
  declaredSize: number;
  /** Of the content that was uploaded, in hexadecimal; null until it is received. */
  sha256: string | null;
  state: FileState;
}

/** SQL for the preview of the file `f` in base64, without the line breaks that PostgreSQL adds. */
const thumbHash = "replace(encode(f.thumb_hash, 'base64'), chr(10), '')";

/** SQL for the file `f` as messages show it, as JSON. */
export const fileJson = `json_build_object('id', f.id, 'name', f.name, 'size', f.stored_size, 'mediaType', f.media_type,
         'width', f.width, 'height', f.height, 'thumbHash', ${thumbHash})`;

const columns = `f.id, f.owner_id AS "ownerId", f.name, f.size AS "declaredSize", COALESCE(f.stored_size, f.size) AS size,
            f.media_type AS "mediaType", f.width, f.height,
            ${thumbHash} AS "thumbHash", encode(f.sha256, 'hex') AS sha256, f.state`;

/** The bytes that count against a quota: of one owner, or of all. Index: files_of_owner. */
export async function declaredBytes(
  database: Database,
  ownerId: number | undefined,
  transaction?: Transaction,
): Promise<number> {
  const [row] = await select<{ bytes: number }>(
    database,
    `SELECT COALESCE(sum(size), 0)::bigint AS bytes FROM files ${ownerId === undefined ? "" : "WHERE owner_id = $ownerId"}`,
    ownerId === undefined ? {} : { ownerId },
    transaction,
  );
  return row?.bytes ?? 0;
}

/** Stores a file whose content is to be uploaded within some time. @returns the end of that time */
export async function insertFile(
  database: Database,
  file: { id: string; ownerId: number; name: string; size: number; mediaType: string; unclaimedSeconds: number },
  transaction: Transaction,
): Promise<Date> {
  const [row] = await select<{ expiresAt: Date }>(
    database,
    `INSERT INTO files (id, owner_id, name, size, media_type, collect_at)
     VALUES ($id, $ownerId, $name, $size, $mediaType, clock_timestamp() + make_interval(secs => $unclaimedSeconds))
  RETURNING collect_at AS "expiresAt"`,
    file,
    transaction,
  );
  if (!row) throw new Error("a file was not stored");
  return row.expiresAt;
}

/** Returns a file of its owner. Index: the primary key of files. */
export async function fileOfOwner(
  database: Database,
  key: { id: string; ownerId: number },
): Promise<StoredFile | undefined> {
  const [file] = await select<StoredFile>(
    database,
    `SELECT ${columns} FROM files AS f WHERE f.id = $id AND f.owner_id = $ownerId AND f.removed_at IS NULL`,
    key,
  );
  return file;
}

/** What was found out about the content of a file. */
export interface ReceivedContent {
  sha256: string;
  storedSize: number;
  mediaType: string;
  width: number | null;
  height: number | null;
  thumbHash: Buffer | null;
}

/**
 * Makes a new file ready. Index: the primary key of files.
 * @returns false if it is not new any more, or is being deleted
 */
export async function markReady(database: Database, id: string, content: ReceivedContent): Promise<boolean> {
  const { sha256, thumbHash, ...rest } = content;
  const rows = await select(
    database,
    `UPDATE files
        SET state = 'ready', sha256 = decode($sha256, 'hex'), stored_size = $storedSize, media_type = $mediaType,
            width = $width, height = $height, thumb_hash = decode($thumbHash, 'hex')
      WHERE id = $id AND state = 'new' AND removed_at IS NULL
  RETURNING id`,
    { id, sha256, thumbHash: thumbHash?.toString("hex") ?? null, ...rest },
  );
  return rows.length > 0;
}

/** Marks a new file as refused by the scanner; it is collected like one that was never sent. */
export async function markRefused(database: Database, id: string): Promise<void> {
  await select(database, "UPDATE files SET state = 'refused' WHERE id = $id AND state = 'new'", { id });
}

/**
 * Returns the file if the user may read it: in a message that the user can see, or the user's own one that was in no message
 * yet. Indexes: the primary key of files, message_files_of_file, the primary keys of messages and chat_members.
 */
export async function readableFiles(
  database: Database,
  { ids, userId }: { ids: readonly string[]; userId: number },
): Promise<StoredFile[]> {
  return select<StoredFile>(
    database,
    `SELECT ${columns}
       FROM unnest($ids::uuid[]) WITH ORDINALITY AS wanted (id, place)
       JOIN files AS f ON f.id = wanted.id
      WHERE f.removed_at IS NULL
        AND (f.owner_id = $userId AND NOT f.is_claimed AND f.state <> 'refused'
             OR f.state = 'ready' AND EXISTS (
                  SELECT FROM message_files AS mf
                    JOIN messages AS m ON m.id = mf.message_id AND m.deleted_at IS NULL
                    JOIN chat_members AS member ON member.user_id = $userId AND member.chat_id = m.chat_id
                   WHERE mf.file_id = f.id AND m.seq > member.cleared_seq))
      ORDER BY wanted.place`,
    { ids, userId },
  );
}

/** Adds the files of a message to a copy of it. Locks them, so that they are not being deleted. */
export async function copyFiles(
  database: Database,
  { fromMessageId, toMessageId }: { fromMessageId: number; toMessageId: number },
  transaction: Transaction,
): Promise<void> {
  const keys = { fromMessageId, toMessageId };
  await select(
    database,
    `SELECT id FROM files
      WHERE id IN (SELECT file_id FROM message_files WHERE message_id = $fromMessageId)
      ORDER BY id FOR NO KEY UPDATE`,
    { fromMessageId },
    transaction,
  );
  await select(
    database,
    `INSERT INTO message_files (message_id, file_id, position)
     SELECT $toMessageId, mf.file_id, mf.position
       FROM message_files AS mf JOIN files AS f ON f.id = mf.file_id
      WHERE mf.message_id = $fromMessageId AND f.removed_at IS NULL`,
    keys,
    transaction,
  );
}
