import type { Transaction } from "sequelize";
import type { Role } from "../../models/chat-member.ts";
import type { StoredEvent } from "../../models/message.ts";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** Takes the row locks of living chats, by rising id. */
export function lockChats(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<{ id: number; kind: "dialog" | "group"; version: number }[]> {
  return select(
    database,
    `SELECT id, kind, version FROM chats
      WHERE id = ANY ($chatIds::bigint[]) AND deleted_at IS NULL
      ORDER BY id
        FOR NO KEY UPDATE`,
    { chatIds },
    transaction,
  );
}

/** Who is in each of these chats, the longest there first. Index: chat_members_of_chat. */
export async function membersOf(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<Map<number, Map<number, Role>>> {
  const rows = await select<{ chatId: number; userId: number; role: Role }>(
    database,
    `SELECT chat_id AS "chatId", user_id AS "userId", role
       FROM chat_members
      WHERE chat_id = ANY ($chatIds::bigint[])
      ORDER BY chat_id, joined_at, user_id`,
    { chatIds },
    transaction,
  );
  const chats = new Map<number, Map<number, Role>>();
  for (const { chatId, userId, role } of rows) {
    const members = chats.get(chatId) ?? new Map<number, Role>();
    chats.set(chatId, members.set(userId, role));
  }
  return chats;
}

/**
 * Writes a notice to a chat whose lock is held: with the chat's next `seq` and `version`, which it counts on the chat.
 * Whoever it is by has read it.
 * @returns its id
 */
export async function insertMessage(
  database: Database,
  notice: { chatId: number; senderId: number; event: StoredEvent; clientMessageId?: string | undefined },
  transaction: Transaction,
): Promise<number> {
  const { chatId, senderId, event, clientMessageId = null } = notice;
  const [row] = await select<{ id: number }>(
    database,
    `WITH next AS (
            SELECT last_seq + 1 AS seq, version + 1 AS version, nextval('messages_id_seq') AS id
              FROM chats WHERE id = $chatId
          ), counted AS (
            UPDATE chats SET last_seq = next.seq, version = next.version, last_message_id = next.id
              FROM next WHERE chats.id = $chatId
          ), read AS (
            UPDATE chat_members SET read_seq = next.seq
              FROM next WHERE chat_id = $chatId AND user_id = $senderId
          )
     INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, event, content, created_at)
     SELECT next.id, $chatId, next.seq, next.version, $senderId, $clientMessageId, $event::jsonb, '',
            date_trunc('milliseconds', clock_timestamp())
       FROM next
  RETURNING id`,
    { chatId, senderId, event: JSON.stringify(event), clientMessageId },
    transaction,
  );
  if (!row) throw new Error(`chat ${chatId}, whose lock is held, is not there`);
  return row.id;
}
