import pg from "pg";

/** The whole truth, as the database has it after the run. */
export interface Truth {
  chats: Map<number, StoredChat>;
  rows: Row[];
  rowsByChat: Map<number, Row[]>;
  rowById: Map<number, Row>;
  /** The marks of members, by `membership`. */
  members: Map<string, { readSeq: number; clearedSeq: number }>;
}

export interface StoredChat {
  kind: "dialog" | "group";
  lastSeq: number;
  version: number;
  /** The group has ended: of its messages only the client ids are sure to be there. */
  ended: boolean;
  /** The two of a dialog. */
  pairLow: number | null;
  pairHigh: number | null;
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
  event: { kind: string; byUserId: number; userId?: number; groupName?: string } | null;
  editedAt: Date | null;
  deletedAt: Date | null;
}

export const membership = (userId: number, chatId: number): string => `${userId} ${chatId}`;

/** Reads it, in statements of their own: while the server writes on, they are not of one moment. */
export async function readTruth(url: string): Promise<Truth> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser } });
  await client.connect();
  try {
    const chats = await client.query<StoredChat & { id: number }>(
      `SELECT id, kind, last_seq AS "lastSeq", version, deleted_at IS NOT NULL AS ended,
              pair_low AS "pairLow", pair_high AS "pairHigh"
         FROM chats`,
    );
    const messages = await client.query<Row>(
      `SELECT id, chat_id AS "chatId", seq, version, sender_id AS "senderId", client_message_id AS "clientMessageId",
              reply_to AS "replyTo", content, event, edited_at AS "editedAt", deleted_at AS "deletedAt"
         FROM messages ORDER BY chat_id, seq`,
    );
    const members = await client.query<{ userId: number; chatId: number; readSeq: number; clearedSeq: number }>(
      `SELECT user_id AS "userId", chat_id AS "chatId", read_seq AS "readSeq", cleared_seq AS "clearedSeq"
         FROM chat_members`,
    );
    return truthOf({ chats: chats.rows, rows: messages.rows, members: members.rows });
  } finally {
    await client.end();
  }
}

/** @param stored the rows by rising chat and `seq` */
export function truthOf(stored: {
  chats: readonly (StoredChat & { id: number })[];
  rows: Row[];
  members: readonly { userId: number; chatId: number; readSeq: number; clearedSeq: number }[];
}): Truth {
  const { chats, rows, members } = stored;
  return {
    chats: new Map(chats.map((chat) => [chat.id, chat])),
    rows,
    rowsByChat: byChat(rows),
    rowById: new Map(rows.map((row) => [row.id, row])),
    members: new Map(members.map((member) => [membership(member.userId, member.chatId), member])),
  };
}

/** Everything that is a bigint here is a number that JavaScript can hold. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: unknown) =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as "text");

function byChat(rows: readonly Row[]): Map<number, Row[]> {
  const chats = new Map<number, Row[]>();
  for (const row of rows) {
    const own = chats.get(row.chatId);
    if (own) own.push(row);
    else chats.set(row.chatId, [row]);
  }
  return chats;
}
