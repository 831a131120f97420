import type { Transaction } from "sequelize";
import type { Role } from "../../../domain/chat.ts";
import type { StoredEvent } from "../../../domain/event.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

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

/** A notice and its chat. */
export interface SystemMessageToWrite {
  chatId: number;
  senderId: number;
  event: StoredEvent;
  clientMessageId?: string | undefined;
}

/**
 * Writes notices to chats whose locks are held, at most one to each: with the chat's next `seq` and `version`, which it
 * counts on the chat. Whoever a notice is by has read it.
 * @returns their ids, in no order
 */
export async function insertSystemMessages(
  database: Database,
  notices: readonly SystemMessageToWrite[],
  transaction: Transaction,
): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `WITH notice AS (
            SELECT *
              FROM unnest($chatIds::bigint[], $senderIds::bigint[], $clientMessageIds::text[], $events::text[])
                     AS given (chat_id, sender_id, client_message_id, event)
          ), next AS (
            SELECT notice.*, chats.last_seq + 1 AS seq, chats.version + 1 AS version,
                   nextval('messages_id_seq') AS id
              FROM notice
              JOIN chats ON chats.id = notice.chat_id
          ), counted AS (
            UPDATE chats SET last_seq = next.seq, version = next.version, last_message_id = next.id
              FROM next WHERE chats.id = next.chat_id
          ), read AS (
            UPDATE chat_members AS member SET read_seq = next.seq
              FROM next WHERE member.chat_id = next.chat_id AND member.user_id = next.sender_id
          )
     INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, event, content, created_at)
     SELECT id, chat_id, seq, version, sender_id, client_message_id, event::jsonb, '',
            date_trunc('milliseconds', clock_timestamp())
       FROM next
  RETURNING id`,
    {
      chatIds: notices.map(({ chatId }) => chatId),
      senderIds: notices.map(({ senderId }) => senderId),
      clientMessageIds: notices.map(({ clientMessageId }) => clientMessageId ?? null),
      events: notices.map(({ event }) => JSON.stringify(event)),
    },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/** Gives one member of each of these chats, whose locks are held, another role. */
export async function setRoles(
  database: Database,
  members: readonly { chatId: number; userId: number; role: Role }[],
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `UPDATE chat_members AS member SET role = given.role
       FROM unnest($chatIds::bigint[], $userIds::bigint[], $roles::text[]) AS given (chat_id, user_id, role)
      WHERE member.chat_id = given.chat_id AND member.user_id = given.user_id`,
    {
      chatIds: members.map(({ chatId }) => chatId),
      userIds: members.map(({ userId }) => userId),
      roles: members.map(({ role }) => role),
    },
    transaction,
  );
}
