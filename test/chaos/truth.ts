import pg from "pg";

/** The whole truth, as the database has it after the run. */
export interface Truth {
  chats: Map<number, { kind: string; lastSeq: number; version: number; deleted: boolean }>;
  rows: Row[];
  rowsByChat: Map<number, Row[]>;
  rowById: Map<number, Row>;
  members: Map<string, { readSeq: number; clearedSeq: number }>;
}

export interface Row {
  id: number;
  chatId: number;
  seq: number;
  version: number;
  senderId: number;
  clientMessageId: string | null;
  replyTo: number | null;
  content: string;
  event: { kind: string; byUserId: number; userId?: number } | null;
  editedAt: Date | null;
  deletedAt: Date | null;
}

const numbers = (rows: Record<string, unknown>[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [
        key,
        /Id$|^id$|[sS]eq$|version|replyTo/.test(key) && value !== null && key !== "clientMessageId"
          ? Number(value)
          : value,
      ]),
    ),
  );

/** Reads it, in statements of their own: while the server writes on, they are not of one moment. */
export async function readTruth(url: string): Promise<Truth> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const chats = await client.query(
      `SELECT id, kind, last_seq AS "lastSeq", version, deleted_at IS NOT NULL AS deleted FROM chats`,
    );
    const messages = await client.query(
      `SELECT id, chat_id AS "chatId", seq, version, sender_id AS "senderId", client_message_id AS "clientMessageId",
              reply_to AS "replyTo", content, event, edited_at AS "editedAt", deleted_at AS "deletedAt"
         FROM messages ORDER BY chat_id, seq`,
    );
    const members = await client.query(
      `SELECT user_id AS "userId", chat_id AS "chatId", read_seq AS "readSeq", cleared_seq AS "clearedSeq" FROM chat_members`,
    );
    const rows = numbers(messages.rows) as unknown as Row[];
    return {
      chats: new Map(numbers(chats.rows).map(({ id, ...chat }) => [id as number, chat as never])),
      rows,
      rowsByChat: byChat(rows),
      rowById: new Map(rows.map((row) => [row.id, row])),
      members: new Map(
        numbers(members.rows).map(({ userId, chatId, ...marks }) => [`${userId} ${chatId}`, marks as never]),
      ),
    };
  } finally {
    await client.end();
  }
}

function byChat(rows: readonly Row[]): Map<number, Row[]> {
  const chats = new Map<number, Row[]>();
  for (const row of rows) {
    const own = chats.get(row.chatId);
    if (own) own.push(row);
    else chats.set(row.chatId, [row]);
  }
  return chats;
}
