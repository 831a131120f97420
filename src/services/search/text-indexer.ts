import type { Database } from "../../db/connect.ts";
import {
  chatsBehind,
  commitWithoutWaiting,
  type LockedTexts,
  lockTexts,
  storeTexts,
} from "../../db/queries/search/text-index.ts";
import { gramsOfText, searchForm } from "./search-text.ts";

/** The most chats and messages of one transaction: the embedded database serves nobody else meanwhile. */
const maxChats = 100;
const maxMessages = 200;

/** The most chats that one look for unindexed changes finds. */
const maxChatsFound = 1000;

/** Until the next look for unindexed changes of other processes, in milliseconds, and as a multiple of its duration. */
const minScanPauseMs = 2000;
const scanPauseFactor = 100;

/** What one transaction has done. */
interface IndexedChats {
  /** The chats that are not completely indexed. */
  unfinishedIds: readonly number[];
  /** Whether it has indexed anything: not if other processes have locked all of the chats. */
  hasProgressed: boolean;
}

/**
 * Keeps the searchable texts up to date along the versions of the chats. What is indexed is recorded in the transaction that
 * stores it, so a process that is killed loses nothing. Several processes share the work.
 */
export class TextIndexer {
  /** Chats with changes that may not be indexed, and since when that is known here, by the monotonic clock. */
  private readonly pending = new Map<number, number>();
  private nextScanAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: { database: Database }) {}

  /** Notes that a chat has changed. Changes that are not noted are found a little later. */
  readonly note = (chatId: number): void => {
    if (!this.pending.has(chatId)) this.pending.set(chatId, performance.now());
  };

  /** How long the oldest change known to this process has not been indexed, in seconds; 0 if there is none. */
  get lagSeconds(): number {
    const [oldest] = this.pending.values();
    return oldest === undefined ? 0 : Math.max(0, performance.now() - oldest) / 1000;
  }

  /**
   * Indexes some changes.
   * @returns whether there are more that could be indexed at once
   */
  async indexSome(): Promise<boolean> {
    if (this.pending.size === 0 || performance.now() >= this.nextScanAt) await this.scan();
    const chatIds = [...this.pending.keys()].slice(0, maxChats);
    if (chatIds.length === 0) return false;
    // What changes from now on is noted again.
    const since = new Map(chatIds.map((id) => [id, this.pending.get(id) ?? performance.now()]));
    for (const id of chatIds) this.pending.delete(id);
    let result: IndexedChats = { unfinishedIds: chatIds, hasProgressed: false };
    try {
      result = await this.indexChats(chatIds);
    } finally {
      // Behind the others: another process may be at work on them.
      for (const id of result.unfinishedIds) this.pending.set(id, since.get(id) ?? performance.now());
    }
    return result.hasProgressed && this.pending.size > 0;
  }

  /** Finds changes of other processes, and those that killed ones have left. */
  private async scan(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt < this.nextScanAt) return;
    for (const id of await chatsBehind(this.options.database, { limit: maxChatsFound })) this.note(id);
    const now = performance.now();
    this.nextScanAt = now + Math.max(minScanPauseMs, scanPauseFactor * (now - startedAt));
  }

  private indexChats(chatIds: readonly number[]): Promise<IndexedChats> {
    const { database } = this.options;
    return database.transaction(async (transaction) => {
      await commitWithoutWaiting(database, transaction);
      const locked = await lockTexts(database, { chatIds, maxMessages }, transaction);
      const isFull = locked.reduce((sum, { messages }) => sum + Math.max(1, messages.length), 0) >= maxMessages;
      const last = isFull ? locked.at(-1) : undefined;
      const messages = locked.flatMap((chat) => chat.messages);
      await storeTexts(
        database,
        {
          texts: messages.flatMap(({ id, content }) => (content === null ? [] : [toText(id, content)])),
          removedIds: messages.filter(({ content }) => content === null).map(({ id }) => id),
          indexed: locked.map((chat) => ({
            chatId: chat.chatId,
            version: chat === last ? lastVersion(chat) : chat.version,
          })),
        },
        transaction,
      );
      const finished = new Set(locked.filter((chat) => chat !== last).map(({ chatId }) => chatId));
      return { unfinishedIds: chatIds.filter((id) => !finished.has(id)), hasProgressed: locked.length > 0 };
    });
  }
}

/** Up to where a chat is indexed that may have more messages than were read. */
const lastVersion = ({ messages, version }: LockedTexts): number => messages.at(-1)?.version ?? version;

function toText(messageId: number, content: string) {
  const text = searchForm(content);
  return { messageId, text, grams: gramsOfText(text) };
}
