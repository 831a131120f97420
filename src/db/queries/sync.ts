import type { Transaction } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";
import { type ChatMessage, messageColumns, messagePeople, toChatMessage } from "./messages.ts";

/** What a client knows of a chat. */
export interface KnownChat {
  chatId: number;
  version: number;
  readSeq: number;
  clearedSeq: number;
  /** Null: it does not say, and is not told. */
  peerReadSeq: number | null;
}

/** The chats a client asks about: all, or those with ids in a range. */
export interface Scope {
  userId: number;
  fromChatId: number;
  toChatId: number;
}

/** A chat of a person in which something differs from what the client knows. */
export interface ChangedChat {
  chatId: number;
  kind: "dialog" | "group";
  groupName: string | null;
  /** In a dialog: the other side, which is oneself in a dialog with oneself. */
  peerId: number | null;
  peerReadSeq: number | null;
  version: number;
  lastSeq: number;
  readSeq: number;
  clearedSeq: number;
  /** Null where the client does not know the chat. */
  knownVersion: number | null;
}

const known = `known AS (
       SELECT * FROM unnest($chatIds::bigint[], $versions::bigint[], $readSeqs::bigint[], $clearedSeqs::bigint[],
                            $peerReadSeqs::bigint[])
                  AS k (chat_id, version, read_seq, cleared_seq, peer_read_seq)
     )`;

const columnsOf = (chats: readonly KnownChat[]) => ({
  chatIds: chats.map(({ chatId }) => chatId),
  versions: chats.map(({ version }) => version),
  readSeqs: chats.map(({ readSeq }) => readSeq),
  clearedSeqs: chats.map(({ clearedSeq }) => clearedSeq),
  peerReadSeqs: chats.map(({ peerReadSeq }) => peerReadSeq),
});

/** Where the server and the client differ, by rising chat id. Index: the primary key of chat_members. */
export function changedChats(
  database: Database,
  scope: Scope,
  chats: readonly KnownChat[],
  transaction: Transaction,
): Promise<ChangedChat[]> {
  return select<ChangedChat>(
    database,
    `WITH ${known}
     SELECT c.id AS "chatId", c.kind, c.name AS "groupName", c.version, c.last_seq AS "lastSeq",
            member.read_seq AS "readSeq", member.cleared_seq AS "clearedSeq", known.version AS "knownVersion",
            c.pair_low + c.pair_high - member.user_id AS "peerId", peer.read_seq AS "peerReadSeq"
       FROM chat_members AS member
       JOIN chats AS c ON c.id = member.chat_id
  LEFT JOIN chat_members AS peer
         ON peer.chat_id = c.id AND peer.user_id = NULLIF(c.pair_low + c.pair_high - member.user_id, member.user_id)
  LEFT JOIN known ON known.chat_id = c.id
      WHERE member.user_id = $userId AND c.id BETWEEN $fromChatId AND $toChatId AND c.version > 0
        AND (known.chat_id IS NULL OR known.version <> c.version OR known.read_seq <> member.read_seq
             OR known.cleared_seq <> member.cleared_seq OR known.peer_read_seq <> peer.read_seq)
      ORDER BY c.id`,
    { ...scope, ...columnsOf(chats) },
    transaction,
  );
}

/** A chat that the client knows and the person is not in, and how far it is: for the server only, never to be told. */
export interface LeftChat {
  chatId: number;
  version: number;
}

/** The chats that the client knows and the person is not in. */
export function leftChats(
  database: Database,
  scope: Scope,
  chats: readonly KnownChat[],
  transaction: Transaction,
): Promise<LeftChat[]> {
  return select<LeftChat>(
    database,
    `SELECT k.chat_id AS "chatId", COALESCE(c.version, 0) AS version
       FROM unnest($chatIds::bigint[]) AS k (chat_id)
  LEFT JOIN chats AS c ON c.id = k.chat_id
      WHERE k.chat_id BETWEEN $fromChatId AND $toChatId
        AND NOT EXISTS (SELECT 1 FROM chat_members WHERE user_id = $userId AND chat_id = k.chat_id)
      ORDER BY k.chat_id`,
    { ...scope, chatIds: chats.map(({ chatId }) => chatId) },
    transaction,
  );
}

/** One chat's rows to read: what changed after a version, or the newest places. */
export interface Wanted {
  chatId: number;
  afterVersion: number;
  afterSeq: number;
}

const columnsWanted = (wanted: readonly Wanted[]) => ({
  chatIds: wanted.map(({ chatId }) => chatId),
  afterVersions: wanted.map(({ afterVersion }) => afterVersion),
  afterSeqs: wanted.map(({ afterSeq }) => afterSeq),
});

/** The wanted rows as `changed`, of each chat at most `limit`. */
const changedRows = `
            unnest($chatIds::bigint[], $afterVersions::bigint[], $afterSeqs::bigint[])
              AS wanted (chat_id, after_version, after_seq)
 CROSS JOIN LATERAL (SELECT * FROM messages
                      WHERE chat_id = wanted.chat_id AND version > wanted.after_version AND seq > wanted.after_seq
                      ORDER BY version
                      LIMIT $limit) AS changed`;

/** How much changed in a chat. */
export interface ChangeSize {
  chatId: number;
  /** Rows; at most as many as were looked at. */
  rows: number;
  /** Their texts, in bytes. */
  bytes: number;
}

/** How many rows changed in each of these chats, counted up to `limit`, without reading them. Index: messages_version_unique. */
export async function changeSizes(
  database: Database,
  wanted: readonly Wanted[],
  limit: number,
  transaction: Transaction,
): Promise<ChangeSize[]> {
  if (wanted.length === 0) return [];
  return select<ChangeSize>(
    database,
    `SELECT changed.chat_id AS "chatId", count(*) AS rows, sum(octet_length(changed.content)) AS bytes
       FROM ${changedRows}
      GROUP BY changed.chat_id
      ORDER BY changed.chat_id`,
    { ...columnsWanted(wanted), limit },
    transaction,
  );
}

/**
 * The changed rows of several chats, each chat's in the order of its versions, and at most `limit` of each. Ends with
 * the row whose text fills `room`, in bytes. Index: messages_version_unique.
 */
export async function changesOf(
  database: Database,
  wanted: readonly Wanted[],
  { limit, room = Number.MAX_SAFE_INTEGER }: { limit: number; room?: number },
  transaction: Transaction,
): Promise<ChatMessage[]> {
  if (wanted.length === 0) return [];
  const rows = await select<Parameters<typeof toChatMessage>[0]>(
    database,
    `SELECT ${messageColumns}
       FROM (SELECT changed.*,
                    sum(octet_length(changed.content)) OVER (ORDER BY changed.chat_id, changed.version)
                      - octet_length(changed.content) AS bytes_before
               FROM ${changedRows}) AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE m.bytes_before < $room
      ORDER BY m.chat_id, m.version`,
    { ...columnsWanted(wanted), limit, room },
    transaction,
  );
  return rows.map(toChatMessage);
}
