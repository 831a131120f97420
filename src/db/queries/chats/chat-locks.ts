import type { Transaction } from "sequelize";
import type { ChatKind, Role } from "../../../domain/chat.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Takes the row locks of chats that have not ended, by rising id. */
export function lockChats(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<{ chatId: number; kind: ChatKind }[]> {
  return select(
    database,
    `SELECT id AS "chatId", kind FROM chats
      WHERE id = ANY ($chatIds::bigint[]) AND deleted_at IS NULL
      ORDER BY id
        FOR NO KEY UPDATE`,
    { chatIds },
    transaction,
  );
}

/** Returns the members of each of these chats with their roles, those who joined first at the start. Index: chat_members_of_chat. */
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

/** Returns the ids of a person's chats, rising. Index: the primary key of chat_members. */
export async function chatIdsOf(database: Database, userId: number, transaction: Transaction): Promise<number[]> {
  const rows = await select<{ chatId: number }>(
    database,
    `SELECT chat_id AS "chatId" FROM chat_members WHERE user_id = $userId ORDER BY chat_id`,
    { userId },
    transaction,
  );
  return rows.map(({ chatId }) => chatId);
}
