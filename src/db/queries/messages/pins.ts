import type { Transaction } from "sequelize";
import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "./messages.ts";

/** The number of pinned messages of a chat. Index: chat_pins_of_chat. */
export async function pinCount(database: Database, chatId: number, transaction: Transaction): Promise<number> {
  const [row] = await select<{ count: number }>(
    database,
    "SELECT count(*) AS count FROM chat_pins WHERE chat_id = $chatId",
    { chatId },
    transaction,
  );
  return row?.count ?? 0;
}

export async function insertPin(
  database: Database,
  pin: { chatId: number; messageId: number; userId: number },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    "INSERT INTO chat_pins (chat_id, message_id, by_user_id) VALUES ($chatId, $messageId, $userId)",
    pin,
    transaction,
  );
}

/** Index: the primary key of chat_pins. */
export async function deletePin(database: Database, messageId: number, transaction: Transaction): Promise<void> {
  await select(database, "DELETE FROM chat_pins WHERE message_id = $messageId", { messageId }, transaction);
}

/**
 * Returns the pinned messages of a chat after `clearedSeq`, the newest pin first, as one person reads them. Index:
 * chat_pins_of_chat.
 */
export async function pinnedMessages(
  database: Database,
  page: { chatId: number; readerId: number; clearedSeq: number; limit: number; offset: number },
): Promise<ChatMessage[]> {
  const rows = await select<Parameters<typeof toChatMessage>[0]>(
    database,
    `SELECT ${messageColumns("$readerId")}
       FROM chat_pins AS pin
       JOIN messages AS m ON m.id = pin.message_id
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE pin.chat_id = $chatId AND m.seq > $clearedSeq
      ORDER BY pin.pinned_at DESC, m.seq DESC
      LIMIT $limit OFFSET $offset`,
    page,
  );
  return rows.map(toChatMessage);
}
