import type { Transaction } from "sequelize";
import type { StoredEvent } from "../../../domain/event.ts";
import type { FileInfo } from "../../../domain/file.ts";
import type { ChatMessage, Mention, MessageChange, Reaction, RepliedMessage } from "../../../domain/message.ts";
import type { Person } from "../../../domain/person.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { fileJson } from "../files/files.ts";

/** The name shown for a deleted account: its messages stay, its name is erased. */
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
  change: MessageChange | null;
  firstAuthorId: number | null;
  firstAuthorFirstName: string | null;
  firstAuthorLastName: string | null;
  replyId: number | null;
  replySeq: number;
  replyContent: string;
  replyEvent: StoredEvent | null;
  replyDeletedAt: Date | null;
  replySenderId: number;
  replySenderFirstName: string | null;
  replySenderLastName: string | null;
  replySubjectFirstName: string | null;
  replySubjectLastName: string | null;
  files: FileInfo[] | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  /** Absent where they are not read. */
  reactions?: (Omit<Reaction, "mine"> & { mine: boolean | null })[] | null;
  pinned?: { by: number; at: string } | null;
  mentions?: Mention[] | null;
  mentionsAll?: true | null;
}

/** Builds a person from the columns of a user row. A deleted account has no name. */
export const personOf = (id: number, firstName: string | null, lastName: string | null): Person => ({
  id,
  firstName: firstName ?? deletedUserName,
  lastName,
});

/** Converts a row to the type of the domain. */
export function toChatMessage(row: MessageRow): ChatMessage {
  const {
    id,
    chatId,
    seq,
    version,
    groupName,
    content,
    event,
    clientMessageId,
    change,
    createdAt,
    editedAt,
    deletedAt,
  } = row;
  return {
    id,
    chatId,
    seq,
    version,
    sender: personOf(row.senderId, row.senderFirstName, row.senderLastName),
    receiver: row.receiverId === null ? null : personOf(row.receiverId, row.receiverFirstName, row.receiverLastName),
    groupName,
    content,
    event: withSubject(event, row.subjectFirstName, row.subjectLastName),
    clientMessageId,
    replyTo: row.replyId === null ? null : toRepliedMessage(row, row.replyId),
    change,
    reactions: (row.reactions ?? []).map(({ mine, ...reaction }) => ({ ...reaction, ...(mine && { mine: true }) })),
    files: row.files ?? [],
    pinned: row.pinned ? { by: row.pinned.by, at: new Date(row.pinned.at) } : null,
    firstAuthor:
      row.firstAuthorId === null || deletedAt
        ? null
        : personOf(row.firstAuthorId, row.firstAuthorFirstName, row.firstAuthorLastName),
    mentions: row.mentions ?? [],
    mentionsAll: row.mentionsAll ?? false,
    createdAt,
    editedAt,
    deletedAt,
  };
}

const toRepliedMessage = (row: MessageRow, id: number): RepliedMessage => ({
  id,
  seq: row.replySeq,
  sender: personOf(row.replySenderId, row.replySenderFirstName, row.replySenderLastName),
  content: row.replyContent,
  event: withSubject(row.replyEvent, row.replySubjectFirstName, row.replySubjectLastName),
  groupName: row.groupName,
  deletedAt: row.replyDeletedAt,
});

const withSubject = (event: StoredEvent | null, firstName: string | null, lastName: string | null) =>
  event && { ...event, subject: event.userId === undefined ? null : personOf(event.userId, firstName, lastName) };

/**
 * The columns that every query for messages selects, without reactions, mentions and pin: `m` is the message, `c` its chat.
 * Index: the primary key of message_files.
 */
export const messageColumnsInLists = `
       m.id, m.chat_id AS "chatId", m.seq, m.version, m.content, m.event, m.change,
       m.client_message_id AS "clientMessageId",
       m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at AS "deletedAt",
       m.sender_id AS "senderId", sender.first_name AS "senderFirstName", sender.last_name AS "senderLastName",
       receiver.id AS "receiverId", receiver.first_name AS "receiverFirstName", receiver.last_name AS "receiverLastName",
       c.name AS "groupName",
       (SELECT json_agg(${fileJson} ORDER BY mf.position)
          FROM message_files AS mf JOIN files AS f ON f.id = mf.file_id
         WHERE mf.message_id = m.id) AS files,
       subject.first_name AS "subjectFirstName", subject.last_name AS "subjectLastName",
       m.first_author_id AS "firstAuthorId", first_author.first_name AS "firstAuthorFirstName",
       first_author.last_name AS "firstAuthorLastName",
       reply.id AS "replyId", reply.seq AS "replySeq", left(reply.content, 200) AS "replyContent", reply.event AS "replyEvent",
       reply.deleted_at AS "replyDeletedAt", reply.sender_id AS "replySenderId",
       reply_sender.first_name AS "replySenderFirstName", reply_sender.last_name AS "replySenderLastName",
       reply_subject.first_name AS "replySubjectFirstName", reply_subject.last_name AS "replySubjectLastName"`;

/** How many of the people who react with one emoji are named. */
const maxNamedReactors = 20;

/**
 * The columns of a message with its mentions, its reactions and its pin. Messages that were never changed have no reactions and no pin, and cost nothing.
 * Indexes: the primary keys of message_reactions and chat_pins.
 * @param readerId SQL for the id of the person for whom it is read, if it is for one person
 */
export const messageColumns = (
  readerId = "NULL::bigint",
): string => `${messageColumnsInLists}, m.mentions, m.mentions_all AS "mentionsAll",
       CASE WHEN m.change IS NOT NULL AND m.deleted_at IS NULL THEN (
         SELECT json_agg(json_build_object('emoji', emoji, 'count', people, 'userIds', user_ids, 'mine', mine)
                         ORDER BY since, emoji)
           FROM (SELECT emoji, count(*) AS people, min(created_at) AS since,
                        (array_agg(user_id ORDER BY created_at, user_id))[:${maxNamedReactors}] AS user_ids,
                        bool_or(user_id = ${readerId}) AS mine
                   FROM message_reactions
                  WHERE message_id = m.id
                  GROUP BY emoji) AS by_emoji) END AS reactions,
       CASE WHEN m.change IS NOT NULL AND m.deleted_at IS NULL THEN (
         SELECT json_build_object('by', by_user_id, 'at', pinned_at)
           FROM chat_pins
          WHERE message_id = m.id) END AS pinned`;

/** The joins that `messageColumns` needs. */
export const messagePeople = `
       JOIN users AS sender ON sender.id = m.sender_id
  LEFT JOIN users AS receiver ON receiver.id = c.pair_low + c.pair_high - m.sender_id
  LEFT JOIN users AS subject ON subject.id = (m.event ->> 'userId')::bigint
  LEFT JOIN users AS first_author ON first_author.id = m.first_author_id
  LEFT JOIN messages AS reply ON reply.id = m.reply_to
  LEFT JOIN users AS reply_sender ON reply_sender.id = reply.sender_id
  LEFT JOIN users AS reply_subject ON reply_subject.id = (reply.event ->> 'userId')::bigint`;

/**
 * Returns the messages of a chat with `seq` in (`after`, `upTo`], newest first, as one person reads them. Index:
 * messages_seq_unique.
 */
export async function messagesBySeq(
  database: Database,
  range: { chatId: number; readerId: number; after: number; upTo: number },
): Promise<ChatMessage[]> {
  if (range.upTo <= range.after) return [];
  const rows = await select<MessageRow>(
    database,
    `SELECT ${messageColumns("$readerId")}
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE m.chat_id = $chatId AND m.seq > $after AND m.seq <= $upTo
      ORDER BY m.seq DESC`,
    range,
  );
  return rows.map(toChatMessage);
}

/**
 * Returns messages by id, in the order of the ids; missing ones are left out.
 * @param readerId the person for whom they are read, if it is one person
 */
export async function messagesById(
  database: Database,
  messageIds: readonly number[],
  transaction?: Transaction,
  readerId?: number,
): Promise<ChatMessage[]> {
  const rows = await select<MessageRow>(
    database,
    `SELECT ${messageColumns(readerId === undefined ? undefined : "$readerId")}
       FROM unnest($messageIds::bigint[]) WITH ORDINALITY AS wanted (id, place)
       JOIN messages AS m ON m.id = wanted.id
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      ORDER BY wanted.place`,
    { messageIds, readerId },
    transaction,
  );
  return rows.map(toChatMessage);
}

/** The message that a person has stored under a client id, if there is one. Index: messages_client_id_unique. */
export async function messageByClientId(
  database: Database,
  key: { senderId: number; clientMessageId: string },
  transaction?: Transaction,
): Promise<ChatMessage | undefined> {
  const [row] = await select<MessageRow>(
    database,
    `SELECT ${messageColumns()}
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      WHERE m.sender_id = $senderId AND m.client_message_id = $clientMessageId`,
    key,
    transaction,
  );
  return row && toChatMessage(row);
}
