import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

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
const newestTexts = 10_000;

/** Up to how many messages of the searched chats are looked up by chat, to read only those texts among all with the grams. */
const maxTextsByChat = 100_000;

const condition = (isGiven: boolean, sql: string): string => (isGiven ? ` AND ${sql}` : "");

/** The chats of a search, with SQL for further columns and joins. An empty dialog counts as no chat. */
const chatsInScope = ({ chatId }: SearchScope): string => `
       FROM chat_members AS member
       JOIN chats AS c ON c.id = member.chat_id AND c.deleted_at IS NULL AND c.version > 0
  LEFT JOIN chat_texts AS t ON t.chat_id = c.id
      WHERE member.user_id = $userId${condition(chatId !== undefined, "member.chat_id = $chatId")}`;

/** The chats that a search covers. */
export interface SearchedChats {
  count: number;
  /** How many messages they have, at most: deleted ones count. */
  messages: number;
  /** Whether the latest changes of one of them are not indexed. */
  isBehind: boolean;
}

/** Returns what a search covers. Indexes: the primary keys of chat_members, chats and chat_texts. */
export async function searchedChats(
  database: Database,
  scope: SearchScope,
  transaction: Transaction,
): Promise<SearchedChats> {
  const [row] = await select<SearchedChats>(
    database,
    `SELECT count(*)::int AS count, COALESCE(sum(c.last_seq), 0)::bigint AS messages,
            COALESCE(bool_or(c.version > COALESCE(t.version, 0)), false) AS "isBehind" ${chatsInScope(scope)}`,
    { ...scope },
    transaction,
  );
  return row ?? { count: 0, messages: 0, isBehind: false };
}

/**
 * Searches among the newest messages only, as one person reads them: what many messages contain is found here without reading
 * all of those. Returns their ids, the newest first. Index: the primary key of message_texts, or message_texts_of_chat for one
 * chat.
 */
export const searchNewest = (database: Database, search: TextSearch, transaction: Transaction): Promise<number[]> =>
  searchIn(
    database,
    search,
    `(SELECT * FROM message_texts
               WHERE message_id < $beforeId${condition(search.chatId !== undefined, "chat_id = $chatId")}
               ORDER BY message_id DESC
               LIMIT ${newestTexts})`,
    transaction,
  );

/**
 * Searches among all messages in the same way. Indexes: message_texts_grams, and message_texts_of_chat too if the chats have so
 * few messages that reading all their entries costs less than reading the texts of other chats.
 */
export const searchAll = (
  database: Database,
  search: TextSearch,
  { messages }: Pick<SearchedChats, "messages">,
  transaction: Transaction,
): Promise<number[]> =>
  searchIn(
    database,
    search,
    `(SELECT * FROM message_texts
               WHERE message_id < $beforeId AND grams @> $grams::int4[]${condition(
                 messages <= maxTextsByChat,
                 "chat_id = ANY (ARRAY(SELECT chat_id FROM mine))",
               )})`,
    transaction,
  );

/** The texts are filtered completely before the newest are taken: the planner must not choose to read them in that order. */
async function searchIn(
  database: Database,
  search: TextSearch,
  texts: string,
  transaction: Transaction,
): Promise<number[]> {
  const { words, senderId, before, after } = search;
  const rows = await select<{ id: number }>(
    database,
    `WITH mine AS MATERIALIZED (
            SELECT c.id AS chat_id, member.cleared_seq ${chatsInScope(search)}
          ), matching AS MATERIALIZED (
            SELECT found.message_id AS id
              FROM ${texts} AS found
              JOIN mine ON mine.chat_id = found.chat_id AND found.seq > mine.cleared_seq
             WHERE true${words.map((_, index) => condition(true, `strpos(found.text, $word${index}) > 0`)).join("")}${[
               condition(senderId !== undefined, "found.sender_id = $senderId"),
               condition(before !== undefined, "found.created_at < $before"),
               condition(after !== undefined, "found.created_at > $after"),
             ].join("")}
          )
     SELECT id FROM matching ORDER BY id DESC LIMIT $limit`,
    { ...search, ...Object.fromEntries(words.map((word, index) => [`word${index}`, word])) },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/**
 * Starts the transaction of a search. Its statements see the same state, so nothing is shown that was written after the user
 * has left a chat. They are bounded in time, and so short that compiling them and comparing orders of their joins, which are
 * written in a good one, would take longer than it saves.
 */
export async function startSearch(database: Database, maxMs: number, transaction: Transaction): Promise<void> {
  await database.query(
    `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
     SET LOCAL statement_timeout = ${maxMs};
     SET LOCAL jit = off;
     SET LOCAL join_collapse_limit = 1`,
    { transaction },
  );
}
