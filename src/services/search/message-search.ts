import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { messagesById } from "../../db/queries/messages/messages.ts";
import {
  type SearchedChats,
  searchAll,
  searchedChats,
  searchNewest,
  startSearch,
  type TextSearch,
} from "../../db/queries/search/search-messages.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { notInChat } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { rowsThatFit } from "../messages/answer-size.ts";
import { isId, readCursor, toPage } from "../page.ts";
import { gramsOfWords, highlightsOf, maxQueryWords, queryWords } from "./search-text.ts";

/** The time that each statement of a search may take, in milliseconds. */
const statementTimeoutMs = 2000;

/** What a user searches for. Times are ISO 8601. */
export interface MessageQuery {
  query: string;
  chatId?: number | undefined;
  senderId?: number | undefined;
  before?: string | undefined;
  after?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** A message that contains all words of a query. */
export interface FoundMessage {
  message: ChatMessage;
  /** Where the words are in its text: offset and length in UTF-16 units. */
  highlights: [offset: number, length: number][];
}

/** A page of what a search has found, the newest messages first. */
export interface FoundMessages {
  found: FoundMessage[];
  /** The cursor of the next page; null on the last page. */
  cursor: string | null;
  /** Whether the latest changes of a searched chat are not indexed yet. */
  isBehind: boolean;
}

/** Searches the messages that a user can read. */
export class MessageSearch {
  constructor(private readonly options: { database: Database }) {}

  /** @param sizeOf the size of a message in the answer, in bytes */
  async search(userId: number, query: MessageQuery, sizeOf: (message: ChatMessage) => number): Promise<FoundMessages> {
    const { database } = this.options;
    const search = toTextSearch(userId, query);
    const { rows, isBehind } = await database.transaction(async (transaction) => {
      await startSearch(database, statementTimeoutMs, transaction);
      const chats = await searchedChats(database, search, transaction);
      if (chats.count === 0 && query.chatId !== undefined) throw notInChat();
      return { rows: chats.count === 0 ? [] : await this.find(search, chats, transaction), isBehind: chats.isBehind };
    });
    const fitting = rowsThatFit(rows.slice(0, query.limit), sizeOf);
    const { data, nextCursor } = toPage(rows, fitting.length, ({ id }) => id);
    const found = data.flatMap((message) => {
      // Deleted or edited since it was indexed.
      const highlights = message.deletedAt ? undefined : highlightsOf(message.content, search.words);
      return highlights ? [{ message, highlights }] : [];
    });
    return { found, cursor: nextCursor, isBehind };
  }

  /** Returns one message more than a page has, if there are so many. */
  private async find(search: TextSearch, chats: SearchedChats, transaction: Transaction): Promise<ChatMessage[]> {
    const { database } = this.options;
    const newest = await searchNewest(database, search, transaction);
    const ids = newest.length === search.limit ? newest : await searchAll(database, search, chats, transaction);
    return ids.length === 0 ? [] : messagesById(database, ids, transaction, search.userId);
  }
}

function toTextSearch(userId: number, { query, before, after, limit, cursor, ...rest }: MessageQuery): TextSearch {
  const words = queryWords(query);
  if (!words) {
    const rule = `1 to ${maxQueryWords} words of at least 2 characters; Chinese, Japanese and Korean ones may have 1`;
    throw new AppError("validation", `"query" must have ${rule}`, { field: "query" });
  }
  return {
    ...rest,
    userId,
    words,
    grams: gramsOfWords(words),
    before: before === undefined ? undefined : new Date(before),
    after: after === undefined ? undefined : new Date(after),
    beforeId: cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor, isId),
    limit: limit + 1,
  };
}
