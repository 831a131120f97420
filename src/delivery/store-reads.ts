import { BatchLoader } from "../concurrency/batch-loader.ts";
import { Semaphore } from "../concurrency/semaphore.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { StoredPage } from "./recipients.ts";

/** The changes of a chat after a version that are missing. */
export interface Gap {
  chatId: number;
  after: number;
}

/** What delivery reads from the store. */
export interface ChangeStore {
  /**
   * Returns the changes of a chat after a version, in order, at most `limit` of them; if there are more, the system
   * messages among the rest; and the members of the chat after all of them.
   */
  changesAfter(gap: Gap, limit: number): Promise<StoredPage>;
  /** The same for several chats, in their order, without the system messages among the rest. */
  changesOfChats(gaps: readonly Gap[], limit: number): Promise<readonly Omit<StoredPage, "laterEvents">[]>;
  /** Settles when no transaction that changes this chat is running. */
  waitForWriters(chatId: number): Promise<void>;
  /**
   * Returns the versions of untracked chats before any change that may not have been delivered here; unknown chats are
   * left out. Needed only if other processes write too: their changes may not have arrived yet.
   */
  startVersions?: (chatIds: readonly number[]) => Promise<readonly { chatId: number; version: number }[]>;
  /** Whether an error means that the store is unavailable, which the store itself logs. */
  isOutage?: (error: unknown) => boolean;
}

/** Changes of a chat that were read. */
export interface ReadPage {
  page: StoredPage;
  /** Whether nothing was stored after the page. */
  isLast: boolean;
}

/** Rows of one chat in one read. */
const rowsPerPage = 500;
/** Chats in one read, and rows of each of them. A chat that has more is read alone. */
const chatsPerRead = 100;
const rowsPerChat = 10;
/** Chats whose writers are waited for at the same time. */
const maxWaits = 2;

/**
 * Reads missing changes for all chats together: chats that become due while a read is in progress share the next one.
 * However many chats are changed at once, this occupies one connection for start versions, one for changes, and two
 * that wait for locks after a commit in doubt.
 */
export class StoreReads {
  private readonly starts: BatchLoader<number>;
  private readonly pages: BatchLoader<ReadPage | { error: unknown }, Gap>;
  private readonly waits = new Semaphore(maxWaits);

  constructor(
    private readonly store: ChangeStore,
    private readonly metrics?: Pick<Metrics, "gapReads"> | undefined,
  ) {
    this.starts = new BatchLoader(async (chatIds) => {
      const versions = (await store.startVersions?.(chatIds)) ?? [];
      return new Map(versions.map(({ chatId, version }) => [chatId, version]));
    });
    this.pages = new BatchLoader((gaps) => this.readAll(gaps), chatsPerRead);
  }

  /** The version at which an untracked chat starts; undefined if that is certain without a read. */
  async startVersion(chatId: number): Promise<number | undefined> {
    return this.store.startVersions && ((await this.starts.load(chatId)) ?? 0);
  }

  /** Reads the next changes of a chat. */
  async changesAfter(gap: Gap): Promise<ReadPage> {
    this.metrics?.gapReads.add();
    const read = await this.pages.load(gap);
    if (!read) throw new Error(`no changes of chat ${gap.chatId} were read`);
    if ("error" in read) throw read.error;
    return read;
  }

  waitForWriters(chatId: number): Promise<void> {
    return this.waits.run(() => this.store.waitForWriters(chatId));
  }

  private async readAll(gaps: readonly Gap[]): Promise<Map<Gap, ReadPage | { error: unknown }>> {
    const together = gaps.length > 1 ? await this.readTogether(gaps) : [];
    const pages = new Map<Gap, ReadPage | { error: unknown }>();
    for (const [index, gap] of gaps.entries()) {
      const page = together[index];
      const isComplete = page && page.messages.length < rowsPerChat;
      pages.set(gap, isComplete ? { page: { ...page, laterEvents: [] }, isLast: true } : await this.readAlone(gap));
    }
    return pages;
  }

  /** If the statement fails, the chats are read one by one, so that one that cannot be read holds up no other. */
  private async readTogether(gaps: readonly Gap[]): Promise<readonly Omit<StoredPage, "laterEvents">[]> {
    try {
      return await this.store.changesOfChats(gaps, rowsPerChat);
    } catch (error) {
      if (this.store.isOutage?.(error)) throw error;
      return [];
    }
  }

  private async readAlone(gap: Gap): Promise<ReadPage | { error: unknown }> {
    try {
      const page = await this.store.changesAfter(gap, rowsPerPage);
      return { page, isLast: page.messages.length < rowsPerPage };
    } catch (error) {
      return { error };
    }
  }
}
