import type { Transaction } from "sequelize";
import type { StoredEvent } from "../../models/message.ts";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** Someone as others see them today. */
export interface Person {
  id: number;
  firstName: string;
  lastName: string | null;
}

/** A message with the names around it as they are now; what delivery hands out and every list is made of. */
export interface ChatMessage {
  id: number;
  chatId: number;
  seq: number;
  version: number;
  sender: Person;
  /** In a dialog: whom it is for. */
  receiver: Person | null;
  /** In a group: its name. */
  groupName: string | null;
  content: string;
  event: (StoredEvent & { subject: Person | null }) | null;
  clientMessageId: string | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

/** What people without an account are called: their messages stay, their names do not. */
const deletedUserName = "Deleted user";

interface MessageRow {
  id: number;
  chatId: number;
  seq: number;
  version: number;
  senderId: number;
  senderFirstName: string | null;
  senderLastName: string | null;
  receiverId: number | null;
  receiverFirstName: string | null;
  receiverLastName: string | null;
  groupName: string | null;
  content: string;
  event: StoredEvent | null;
  subjectFirstName: string | null;
  subjectLastName: string | null;
  clientMessageId: string | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

const person = (id: number, firstName: string | null, lastName: string | null): Person => ({
  id,
  firstName: firstName ?? deletedUserName,
  lastName,
});

/** The row as the rest of the program knows it. */
export function toChatMessage(row: MessageRow): ChatMessage {
  const { id, chatId, seq, version, groupName, content, event, clientMessageId, createdAt, editedAt, deletedAt } = row;
  return {
    id,
    chatId,
    seq,
    version,
    sender: person(row.senderId, row.senderFirstName, row.senderLastName),
    receiver: row.receiverId === null ? null : person(row.receiverId, row.receiverFirstName, row.receiverLastName),
    groupName,
    content,
    event: event && {
      ...event,
      subject: event.userId === undefined ? null : person(event.userId, row.subjectFirstName, row.subjectLastName),
    },
    clientMessageId,
    createdAt,
    editedAt,
    deletedAt,
  };
}

/** Every list of messages selects these columns from these tables: `m` is the message, `c` its chat. */
export const messageColumns = `
       m.id, m.chat_id AS "chatId", m.seq, m.version, m.content, m.event,
       m.client_message_id AS "clientMessageId",
       m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at AS "deletedAt",
       m.sender_id AS "senderId", sender.first_name AS "senderFirstName", sender.last_name AS "senderLastName",
       receiver.id AS "receiverId", receiver.first_name AS "receiverFirstName", receiver.last_name AS "receiverLastName",
       c.name AS "groupName",
       subject.first_name AS "subjectFirstName", subject.last_name AS "subjectLastName"`;

export const messagePeople = `
       JOIN users AS sender ON sender.id = m.sender_id
  LEFT JOIN users AS receiver ON receiver.id = c.pair_low + c.pair_high - m.sender_id
  LEFT JOIN users AS subject ON subject.id = (m.event ->> 'userId')::bigint`;

/** Messages of a chat with `seq` in (`after`, `upTo`], newest first. Index: messages_seq_unique. */
export async function messagesBySeq(
  database: Database,
  range: { chatId: number; after: number; upTo: number },
): Promise<ChatMessage[]> {
  if (range.upTo <= range.after) return [];
  const rows = await select<MessageRow>(
    database,
    `SELECT ${messageColumns}
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE m.chat_id = $chatId AND m.seq > $after AND m.seq <= $upTo
      ORDER BY m.seq DESC`,
    range,
  );
  return rows.map(toChatMessage);
}

/** What changed in a chat after a version, in the order of the changes. Index: messages_version_unique. */
export async function messagesByVersion(
  database: Database,
  range: { chatId: number; after: number; limit: number },
): Promise<ChatMessage[]> {
  const rows = await select<MessageRow>(
    database,
    `SELECT ${messageColumns}
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE m.chat_id = $chatId AND m.version > $after
      ORDER BY m.version
      LIMIT $limit`,
    range,
  );
  return rows.map(toChatMessage);
}

/** One message by its id. */
export function messageById(database: Database, messageId: number, transaction?: Transaction) {
  return oneMessage(database, "m.id = $messageId", { messageId }, transaction);
}

/** The message that a person stored under a client id. Index: messages_client_id_unique. */
export function messageByClientId(
  database: Database,
  key: { senderId: number; clientMessageId: string },
  transaction?: Transaction,
) {
  return oneMessage(database, "m.sender_id = $senderId AND m.client_message_id = $clientMessageId", key, transaction);
}

async function oneMessage(
  database: Database,
  condition: string,
  bind: Record<string, unknown>,
  transaction?: Transaction,
): Promise<ChatMessage | undefined> {
  const rows = await select<MessageRow>(
    database,
    `SELECT ${messageColumns}
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE ${condition}`,
    bind,
    transaction,
  );
  return rows.map(toChatMessage)[0];
}
