import type { Transaction } from "sequelize";
import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "../messages/messages.ts";

/** Whose chats are searched: all of them, or one. */
export interface SearchScope {
  userId: number;
  chatId?: number | undefined;
}

/** What is searched. */
export interface TextSearch extends SearchScope {
  /** In the search form; a text must contain each of them. */
  words: readonly string[];
  /** Hashes of grams that a text must have to contain the words. */
  grams: readonly number[];
  senderId?: number | undefined;
  before?: Date | undefined;
  after?: Date | undefined;
  /** Only messages with a smaller id. */
  beforeId: number;
  limit: number;
}

/** How many of the newest messages are read one by one, before the index is used. */
const newestTexts = 20_000;

const condition = (isGiven: boolean, sql: string): string => (isGiven ? ` AND ${sql}` : "");

/** The chats of a search, with SQL for further columns and joins. An empty dialog counts as no chat. */
const chatsInScope = ({ chatId }: SearchScope): string => `
       FROM chat_members AS member
       JOIN chats AS c ON c.id = member.chat_id AND c.deleted_at IS NULL AND c.version > 0
  LEFT JOIN chat_texts AS t ON t.chat_id = c.id
      WHERE member.user_id = $userId${condition(chatId !== undefined, "member.chat_id = $chatId")}`;

/**
 * Returns how many chats a search covers, and whether the latest changes of one of them are not indexed. Indexes: the primary
 * keys of chat_members, chats and chat_texts.
 */
export async function searchedChats(
  database: Database,
  scope: SearchScope,
  transaction: Transaction,
): Promise<{ count: number; isBehind: boolean }> {
  const [row] = await select<{ count: number; isBehind: boolean }>(
    database,
    `SELECT count(*)::int AS count,
            COALESCE(bool_or(c.version > COALESCE(t.version, 0)), false) AS "isBehind" ${chatsInScope(scope)}`,
    { ...scope },
    transaction,
  );
  return row ?? { count: 0, isBehind: false };
}

/**
 * Searches among the newest messages only, as one person reads them, the newest first: what many messages contain is found
 * here without reading all of those. Index: the primary key of message_texts, or message_texts_of_chat for one chat.
 */
export const searchNewest = (database: Database, search: TextSearch, transaction: Transaction) =>
  searchIn(
    database,
    search,
    `(SELECT * FROM message_texts
               WHERE message_id < $beforeId${condition(search.chatId !== undefined, "chat_id = $chatId")}
               ORDER BY message_id DESC
               LIMIT ${newestTexts})`,
    transaction,
  );

/** Searches among all messages in the same way. Indexes: message_texts_grams and message_texts_of_chat. */
export const searchAll = (database: Database, search: TextSearch, transaction: Transaction) =>
  searchIn(
    database,
    search,
    `(SELECT * FROM message_texts
               WHERE message_id < $beforeId AND chat_id = ANY (ARRAY(SELECT chat_id FROM mine))
                 AND grams @> $grams::int4[])`,
    transaction,
  );

/** The texts are filtered completely before the newest are taken: the planner must not choose to read them in that order. */
async function searchIn(
  database: Database,
  search: TextSearch,
  texts: string,
  transaction: Transaction,
): Promise<ChatMessage[]> {
  const { words, senderId, before, after } = search;
  const rows = await select<Parameters<typeof toChatMessage>[0]>(
    database,
    `WITH mine AS MATERIALIZED (
            SELECT c.id AS chat_id, member.cleared_seq ${chatsInScope(search)}
          ), matching AS MATERIALIZED (
            SELECT found.message_id
              FROM ${texts} AS found
              JOIN mine ON mine.chat_id = found.chat_id AND found.seq > mine.cleared_seq
             WHERE true${words.map((_, index) => condition(true, `strpos(found.text, $word${index}) > 0`)).join("")}${[
               condition(senderId !== undefined, "found.sender_id = $senderId"),
               condition(before !== undefined, "found.created_at < $before"),
               condition(after !== undefined, "found.created_at > $after"),
             ].join("")}
          ), page AS MATERIALIZED (
            SELECT message_id FROM matching ORDER BY message_id DESC LIMIT $limit
          )
     SELECT ${messageColumns("$userId")}
       FROM page
       JOIN messages AS m ON m.id = page.message_id
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      ORDER BY m.id DESC`,
    { ...search, ...Object.fromEntries(words.map((word, index) => [`word${index}`, word])) },
    transaction,
  );
  return rows.map(toChatMessage);
}

/** Bounds the statements of a search in time. They are short, so compiling them would only delay them. */
export async function limitSearch(database: Database, ms: number, transaction: Transaction): Promise<void> {
  await database.query(`SET LOCAL statement_timeout = ${ms}; SET LOCAL jit = off`, { transaction });
}
