import type { ChatMessage } from "../db/queries/messages.ts";
import type { Logger } from "../logger.ts";

/** Who asked for a change: compared by identity only, so that the asker hears the answer and not also the push. */
export type Origin = object;

/** A committed change of a chat, on its way to everyone it concerns. */
export interface Change {
  message: ChatMessage;
  recipientIds: readonly number[];
  origin?: Origin | undefined;
}

/** What is told without being a change of the chat's messages: people's marks, and that somebody is typing. */
export type Signal = { recipientIds: readonly number[]; origin?: Origin | undefined } & (
  | { kind: "read"; item: { chatId: number; userId: number; readSeq: number } }
  | { kind: "cleared"; item: { chatId: number; clearedSeq: number; readSeq: number } }
  | { kind: "typing"; item: { chatId: number; userId: number; ttlMs: number } }
);

/** What delivery reads of the store. */
export interface ChangeReader {
  /** The changes of a chat after a version, in order, at most `limit` of them. */
  changesAfter(chatId: number, version: number, limit: number): Promise<ChatMessage[]>;
  memberIds(chatId: number): Promise<number[]>;
  /** Settles when no commit of a change of this chat is under way. */
  settled(chatId: number): Promise<void>;
}

interface LiveChat {
  /** The last version given out. */
  version: number;
  /** Who asked for the versions that are being committed now. */
  origins: Map<number, Origin>;
  /** What was heard of and waits for the rows before it. */
  heard: Map<number, { change: Change; isCommitted: boolean }>;
  /** While rows are read for a gap, everybody waits for that one reading. */
  reading: Promise<void> | undefined;
  wanted: number;
}

/** How many chats are remembered; the ones longest without a change are forgotten first. */
const mostLiveChats = 100_000;
const rowsPerReading = 500;
const retryReadingMs = { first: 200, most: 5000 };

/**
 * The one ordered way out for committed changes. Two writers may hear of their commits in another order than that of
 * the commits; clients may not. Per chat the next version goes out, a smaller one has been out already, and before a
 * greater one the rows between are read from the store.
 */
export class Delivery {
  private readonly chats = new Map<number, LiveChat>();
  private stopped = false;

  constructor(
    private readonly options: {
      store: ChangeReader;
      log: Logger;
      /** Hands one change to whoever is connected. Called in order of versions per chat. */
      deliver: (change: Change) => void;
      /** Hands a signal to whoever is connected. */
      deliverSignal: (signal: Signal) => void;
    },
  ) {}

  /**
   * Says that a version is about to be committed. Called while the chat's row lock is held, which is what makes the
   * version before it the right place to start from for a chat that is not remembered.
   */
  expect(chatId: number, version: number, origin: Origin | undefined): void {
    const chat = this.live(chatId, version);
    if (origin) chat.origins.set(version, origin);
    else chat.origins.delete(version);
  }

  /** Takes back what `expect` said: the transaction was rolled back. */
  retract(chatId: number, version: number): void {
    this.chats.get(chatId)?.origins.delete(version);
  }

  /** Gives out a committed change, and before it whatever the chat has that was not given out yet. */
  async announce(change: Change): Promise<void> {
    const { chatId, version } = change.message;
    const chat = this.live(chatId, version);
    if (version <= chat.version) return;
    if (version === chat.version + 1 && !chat.reading) {
      this.give(chat, change);
      return;
    }
    chat.heard.set(version, { change, isCommitted: true });
    chat.wanted = Math.max(chat.wanted, version);
    await (chat.reading ?? this.startReading(chatId, chat));
  }

  /** Tells whoever is connected now, in no order and to nobody later: what lasts of it is read by `sync`. */
  signal(signal: Signal): void {
    this.options.deliverSignal(signal);
  }

  /** After a commit whose outcome is unknown: gives the change out if the store turns out to have it, once it answers. */
  recheck(change: Change): void {
    const { chatId, version } = change.message;
    const chat = this.live(chatId, version);
    if (version > chat.version) chat.heard.set(version, { change, isCommitted: false });
    void this.readAfterCommit(chatId, chat);
  }

  /** Gives up the attempts to read gaps. */
  stop(): void {
    this.stopped = true;
  }

  private live(chatId: number, version: number): LiveChat {
    const known = this.chats.get(chatId);
    if (known) {
      this.chats.delete(chatId);
      this.chats.set(chatId, known);
      return known;
    }
    for (const [oldest, chat] of this.chats) {
      if (this.chats.size < mostLiveChats) break;
      if (chat.reading || chat.origins.size > 0) continue;
      this.chats.delete(oldest);
    }
    const fresh: LiveChat = {
      version: version - 1,
      origins: new Map(),
      heard: new Map(),
      reading: undefined,
      wanted: 0,
    };
    this.chats.set(chatId, fresh);
    return fresh;
  }

  private give(chat: LiveChat, change: Change): void {
    const { version } = change.message;
    chat.version = version;
    const origin = chat.origins.get(version);
    chat.origins.delete(version);
    this.options.deliver({ ...change, origin });
  }

  private async readAfterCommit(chatId: number, chat: LiveChat): Promise<void> {
    // What a reading under way has read may be older than the commit.
    while (chat.reading !== undefined) await chat.reading;
    await this.startReading(chatId, chat, { settled: false });
  }

  private startReading(chatId: number, chat: LiveChat, from = { settled: true }): Promise<void> {
    const reading = this.readOn(chatId, chat, from);
    chat.reading = reading;
    return reading;
  }

  /**
   * Reads and gives out until nothing that was asked for is missing; keeps trying while the store is away.
   * @param from.settled false waits first for a commit that may still be under way
   */
  private async readOn(chatId: number, chat: LiveChat, from: { settled: boolean }): Promise<void> {
    const { store, log } = this.options;
    let { settled } = from;
    let pauseMs = retryReadingMs.first;
    while (!this.stopped) {
      try {
        if (!settled) await store.settled(chatId);
        settled = true;
        const messages = await store.changesAfter(chatId, chat.version, rowsPerReading);
        const members = messages.length > 0 ? await store.memberIds(chatId) : [];
        for (const message of messages) this.giveRead(chat, message, members);
        // What was committed during the reading may stand before what is waited for.
        const isBehind = chat.version < chat.wanted;
        if (messages.length === rowsPerReading || (messages.length > 0 && isBehind)) continue;
        // Of what was heard and is not stored any more: an ended group's messages are removed in time.
        if (isBehind) this.giveHeard(chat, chat.wanted);
        if (chat.version < chat.wanted) {
          log.error({ chatId, version: chat.version, wanted: chat.wanted }, "a committed change is missing");
          chat.wanted = chat.version;
        }
        break;
      } catch (error) {
        log.warn({ err: error, chatId }, "changes could not be read for delivery; trying again");
        await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
        pauseMs = Math.min(pauseMs * 2, retryReadingMs.most);
      }
    }
    chat.reading = undefined;
  }

  /** Gives out a change that was read, and before it what was heard of smaller versions, whose rows have changed since. */
  private giveRead(chat: LiveChat, message: ChatMessage, members: readonly number[]): void {
    this.giveHeard(chat, message.version - 1);
    const heard = chat.heard.get(message.version);
    chat.heard.delete(message.version);
    // Who was told of it when it was made is known better than who is in the chat now.
    const isSame = heard?.change.message.id === message.id;
    this.give(chat, { message, recipientIds: isSame ? heard.change.recipientIds : recipientsOf(message, members) });
  }

  private giveHeard(chat: LiveChat, upTo: number): void {
    const versions = [...chat.heard.keys()].filter((version) => version <= upTo).sort((a, b) => a - b);
    for (const version of versions) {
      const heard = chat.heard.get(version);
      chat.heard.delete(version);
      if (heard?.isCommitted && version > chat.version) this.give(chat, heard.change);
    }
  }
}

/** Who hears of a change: the members after it, and of a coming or going the one who came or went. */
export function recipientsOf({ event }: ChatMessage, memberIds: Iterable<number>): number[] {
  const recipients = new Set(memberIds);
  const moved = event?.kind === "memberLeft" ? event.byUserId : event?.userId;
  if (moved !== undefined) recipients.add(moved);
  return [...recipients];
}
