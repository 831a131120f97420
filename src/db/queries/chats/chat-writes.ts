import type { Transaction } from "sequelize";
import type { Role } from "../../../domain/chat.ts";
import type { StoredEvent } from "../../../domain/event.ts";
import type { MessageChange } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { keepWhatWasSent } from "../messages/sent-messages.ts";

/* Writes to chats whose row locks the transaction holds, or which it has created. */

/** Creates a group without members and returns its id. */
export async function createGroup(database: Database, name: string, transaction: Transaction): Promise<number> {
  const [row] = await select<{ id: number }>(
    database,
    "INSERT INTO chats (kind, name) VALUES ('group', $name) RETURNING id",
    { name },
    transaction,
  );
  if (!row) throw new Error("a group was not created");
  return row.id;
}

/** Returns the id of the system message that gave a group its name, if there is one. Index: messages_events. */
export async function latestNaming(
  database: Database,
  chatId: number,
  transaction: Transaction,
): Promise<number | undefined> {
  const [row] = await select<{ id: number }>(
    database,
    `SELECT id FROM messages
      WHERE chat_id = $chatId AND event IS NOT NULL AND event ->> 'kind' IN ('groupCreated', 'groupRenamed')
      ORDER BY seq DESC
      LIMIT 1`,
    { chatId },
    transaction,
  );
  return row?.id;
}

export async function renameGroup(
  database: Database,
  { chatId, name }: { chatId: number; name: string },
  transaction: Transaction,
): Promise<void> {
  await select(database, "UPDATE chats SET name = $name WHERE id = $chatId", { chatId, name }, transaction);
}

/** Ends chats: marks them as deleted and removes all members. Their messages are purged later. */
export async function endChats(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<void> {
  const chats = "UPDATE chats SET deleted_at = clock_timestamp() WHERE id = ANY ($chatIds::bigint[])";
  await select(database, chats, { chatIds }, transaction);
  await select(database, "DELETE FROM chat_members WHERE chat_id = ANY ($chatIds::bigint[])", { chatIds }, transaction);
}

/** Adds a member to a chat who has read everything up to `readSeq`. */
export async function addMember(
  database: Database,
  member: { chatId: number; userId: number; role: Role; readSeq: number },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    "INSERT INTO chat_members (user_id, chat_id, role, read_seq) VALUES ($userId, $chatId, $role, $readSeq)",
    member,
    transaction,
  );
}

/** Removes a person from chats. Index: the primary key of chat_members. */
export async function removeMember(
  database: Database,
  { chatIds, userId }: { chatIds: readonly number[]; userId: number },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    "DELETE FROM chat_members WHERE user_id = $userId AND chat_id = ANY ($chatIds::bigint[])",
    { chatIds, userId },
    transaction,
  );
}

/** Gives one member of each of these chats another role. */
export async function setRoles(
  database: Database,
  members: readonly { chatId: number; userId: number; role: Role }[],
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `UPDATE chat_members AS member SET role = input.role
       FROM unnest($chatIds::bigint[], $userIds::bigint[], $roles::text[]) AS input (chat_id, user_id, role)
      WHERE member.chat_id = input.chat_id AND member.user_id = input.user_id`,
    {
      chatIds: members.map(({ chatId }) => chatId),
      userIds: members.map(({ userId }) => userId),
      roles: members.map(({ role }) => role),
    },
    transaction,
  );
}

/** A system message and its chat. */
export interface SystemMessageToWrite {
  chatId: number;
  senderId: number;
  event: StoredEvent;
  clientMessageId?: string | undefined;
}

/**
 * Writes system messages, at most one to each chat, under the next `seq` and `version` of the chat, which it raises. The
 * sender of a system message has read it.
 * @returns their ids, in no order
 */
export async function insertSystemMessages(
  database: Database,
  messages: readonly SystemMessageToWrite[],
  transaction: Transaction,
): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `WITH input AS (
            SELECT *
              FROM unnest($chatIds::bigint[], $senderIds::bigint[], $clientMessageIds::text[], $events::text[])
                     AS message (chat_id, sender_id, client_message_id, event)
          ), next AS (
            SELECT input.*, chats.last_seq + 1 AS seq, chats.version + 1 AS version,
                   nextval('messages_id_seq') AS id
              FROM input
              JOIN chats ON chats.id = input.chat_id
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
      chatIds: messages.map(({ chatId }) => chatId),
      senderIds: messages.map(({ senderId }) => senderId),
      clientMessageIds: messages.map(({ clientMessageId }) => clientMessageId ?? null),
      events: messages.map(({ event }) => JSON.stringify(event)),
    },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/**
 * Writes a copy of a message of any chat, under the next `seq` and `version` of the chat, which it raises. Its sender has
 * read it. The original is locked, so that it is copied as it is at the commit. Index: the primary key of messages.
 * @returns its id; undefined if the original is deleted
 */
export async function insertForwarded(
  database: Database,
  copy: { chatId: number; senderId: number; messageId: number; clientMessageId: string | undefined },
  transaction: Transaction,
): Promise<number | undefined> {
  const { chatId, senderId, messageId, clientMessageId = null } = copy;
  const [row] = await select<{ id: number }>(
    database,
    `WITH original AS (
            SELECT id, content, COALESCE(first_author_id, sender_id) AS first_author_id
              FROM messages
             WHERE id = $messageId AND deleted_at IS NULL AND event IS NULL
               FOR SHARE
          ), next AS (
            SELECT original.*, nextval('messages_id_seq') AS new_id FROM original
          ), counted AS (
            UPDATE chats SET last_seq = last_seq + 1, version = version + 1, last_message_id = next.new_id
              FROM next WHERE chats.id = $chatId
         RETURNING chats.last_seq AS seq, chats.version
          ), read AS (
            UPDATE chat_members AS member SET read_seq = counted.seq
              FROM counted WHERE member.chat_id = $chatId AND member.user_id = $senderId
          )
     INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, forwarded_from, first_author_id,
                           content, created_at)
     SELECT next.new_id, $chatId, counted.seq, counted.version, $senderId, $clientMessageId, next.id, next.first_author_id,
            next.content, date_trunc('milliseconds', clock_timestamp())
       FROM next, counted
  RETURNING id`,
    { chatId, senderId, messageId, clientMessageId },
    transaction,
  );
  return row?.id;
}

/**
 * Records a change of messages of one chat; each takes the next `version` of the chat, in the order of `seq`.
 * @returns their ids, in that order
 */
export async function recordChange(
  database: Database,
  { chatId, messageIds, change }: { chatId: number; messageIds: readonly number[]; change: MessageChange },
  transaction: Transaction,
): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `WITH changed AS MATERIALIZED (
            SELECT id, row_number() OVER (ORDER BY seq) AS place
              FROM messages
             WHERE chat_id = $chatId AND id = ANY ($messageIds::bigint[])
          ), chat AS (
            UPDATE chats SET version = version + (SELECT count(*) FROM changed)
             WHERE id = $chatId
         RETURNING version - (SELECT count(*) FROM changed) AS version_before
          ), recorded AS (
            UPDATE messages
               SET version = chat.version_before + changed.place, change = $change::jsonb,
                   changed_at = clock_timestamp(),${keepWhatWasSent}
              FROM chat, changed
             WHERE messages.id = changed.id
         RETURNING messages.id, messages.version
          )
     SELECT id FROM recorded ORDER BY version`,
    { chatId, messageIds, change: JSON.stringify(change) },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/**
 * Replaces the content of a message, or deletes it; that takes the next `version` of the chat.
 * @param revision.content null deletes the message: its row stays, without content, and a trigger removes its reactions and
 *   its pin. In both cases another trigger removes its mentions
 * @returns false if the chat has no such message
 */
export async function reviseMessage(
  database: Database,
  revision: { chatId: number; messageId: number; byUserId: number; content: string | null },
  transaction: Transaction,
): Promise<boolean> {
  const { chatId, messageId, byUserId, content } = revision;
  const change: MessageChange = { kind: content === null ? "delete" : "edit", by: byUserId };
  const rows = await select(
    database,
    `WITH chat AS (UPDATE chats SET version = version + 1 WHERE id = $chatId RETURNING id, version)
     UPDATE messages
        SET version = chat.version, content = $content, change = $change::jsonb, changed_at = clock_timestamp(),${keepWhatWasSent},
            ${content === null ? "deleted_at" : "edited_at"} = date_trunc('milliseconds', clock_timestamp())
       FROM chat
      WHERE messages.id = $messageId AND messages.chat_id = chat.id
  RETURNING messages.id`,
    { chatId, messageId, content: content ?? "", change: JSON.stringify(change) },
    transaction,
  );
  return rows.length > 0;
}

/**
 * Deletes messages of a chat without naming who did it; each takes the next `version` of the chat. System messages and
 * messages that are deleted already stay as they are. Index: the primary key of messages.
 * @returns the ids of the deleted messages, in the order of their new versions
 */
export async function eraseMessages(
  database: Database,
  { chatId, messageIds }: { chatId: number; messageIds: readonly number[] },
  transaction: Transaction,
): Promise<number[]> {
  const change: MessageChange = { kind: "delete", by: null };
  const rows = await select<{ id: number; version: number }>(
    database,
    `WITH chosen AS (
            SELECT id, row_number() OVER (ORDER BY seq) AS place
              FROM messages
             WHERE id = ANY ($messageIds::bigint[]) AND chat_id = $chatId AND event IS NULL AND deleted_at IS NULL
          ), chat AS (
            UPDATE chats SET version = version + (SELECT count(*) FROM chosen)
             WHERE id = $chatId
         RETURNING version - (SELECT count(*) FROM chosen) AS version
          )
     UPDATE messages
        SET version = chat.version + chosen.place, content = '', change = $change::jsonb, changed_at = clock_timestamp(),${keepWhatWasSent},
            deleted_at = date_trunc('milliseconds', clock_timestamp())
       FROM chat, chosen
      WHERE messages.id = chosen.id
  RETURNING messages.id, messages.version`,
    { chatId, messageIds, change: JSON.stringify(change) },
    transaction,
  );
  return rows.sort((one, other) => one.version - other.version).map(({ id }) => id);
}
