import { LRUCache } from "lru-cache";
import type { Bus } from "../bus/bus.ts";
import { publish, subscribe } from "../bus/topic.ts";
import { atMost } from "../concurrency/lru-options.ts";
import type { Change, Signal } from "../domain/change.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { changeTopic, signalTopic } from "./bus-codec.ts";
import { GapReader } from "./gap-reader.ts";
import { Sequencer, type SequencerStart } from "./sequencer.ts";
import { type ChangeStore, StoreReads } from "./store-reads.ts";

/** Ends a write: its changes, if any, have been published, or it is not known whether it was committed. */
export type EndWrite = (outcome: { inDoubt: boolean }) => void;

interface TrackedChat {
  readonly sequencer: Sequencer;
  /** The writes of this process that may change the chat and have not ended. */
  readonly writes: Set<Promise<void>>;
  /** Set while missing changes are read. */
  gapReader: GapReader | undefined;
}

/** How many chats without a running write or read stay tracked; those longest without a change are evicted first. */
const maxTrackedChats = 100_000;
/**
 * When to look again for a commit in doubt, in milliseconds after the first look: the network may still bring to the
 * database what this process sent before it lost the connection.
 */
const inDoubtRecheckMs = [1000, 5000, 15_000, 60_000];

/**
 * Delivers committed changes, in order of their versions per chat. Writers may learn of their commits in a different
 * order than that of the commits, and changes from other processes may arrive late, in any order, or never. The next
 * version is delivered at once and a smaller one is dropped. Before a greater one, the missing versions are waited for if
 * a write of this process may publish them, and read from the store otherwise.
 */
export class Delivery {
  private readonly recent = new LRUCache<number, TrackedChat>(atMost(maxTrackedChats));
  /** Chats with a write or a read in progress, which must not be forgotten. */
  private readonly busy = new Map<number, TrackedChat>();
  private readonly reads: StoreReads;
  private isStopped = false;

  constructor(
    private readonly options: {
      store: ChangeStore;
      bus: Bus;
      /** The history of the database in which this process works. */
      epoch: { readonly current: string | undefined };
      log: Logger;
      /** Pushes one change to the connected recipients. Called in order of versions per chat. */
      deliver: (change: Change) => void;
      /** Pushes a signal to the connected recipients. */
      deliverSignal: (signal: Signal) => void;
      metrics?: Pick<Metrics, "gapReads"> | undefined;
    },
  ) {
    const { store, bus, deliverSignal, metrics } = options;
    this.reads = new StoreReads(store, metrics);
    subscribe(bus, changeTopic, ({ epoch, ...change }) => {
      if (this.isPresent(epoch)) void this.accept(change);
    });
    subscribe(bus, signalTopic, ({ epoch, ...signal }) => {
      if (this.isPresent(epoch)) deliverSignal(signal);
    });
  }

  /** Whether the last delivered version of this chat is known. */
  isTracked(chatId: number): boolean {
    return this.recent.has(chatId) || this.busy.has(chatId);
  }

  /**
   * Starts tracking a chat, unless it is tracked already. Call it before the chat is changed.
   * @param version all changes up to it were delivered, or were made before this process started
   */
  track(chatId: number, version: number): void {
    this.trackedChat(chatId, { version, hasPosition: true });
  }

  /**
   * Announces a write that may change these chats, which must be tracked: gaps left by later changes of others are not
   * read before it has ended.
   */
  beginWrite(chatIds: readonly number[]): EndWrite {
    const { promise, resolve } = withResolver();
    const chats: [number, TrackedChat][] = [];
    for (const chatId of chatIds) {
      const chat = this.find(chatId);
      if (!chat) continue;
      chat.writes.add(promise);
      this.busy.set(chatId, chat);
      chats.push([chatId, chat]);
    }
    return ({ inDoubt }) => {
      resolve();
      for (const [chatId, chat] of chats) {
        chat.writes.delete(promise);
        // After a reset, nothing of the earlier history is delivered.
        if (this.find(chatId) !== chat) continue;
        if (inDoubt) chat.sequencer.noteDoubt();
        this.readIfNeeded(chatId, chat);
        this.releaseIfIdle(chatId, chat);
      }
      if (inDoubt) for (const ms of inDoubtRecheckMs) setTimeout(() => this.recheck(chatIds), ms).unref();
    };
  }

  /**
   * Delivers a committed change, here and in all other processes, after the chat's earlier changes.
   * @returns a promise that settles when it has been delivered here, and rejects if the store cannot be read for long;
   *   undefined if it has been delivered already
   */
  publish(change: Change): Promise<void> | undefined {
    const { message, recipientIds } = change;
    const { bus, epoch } = this.options;
    publish(bus, changeTopic, { message, recipientIds, epoch: epoch.current });
    return this.accept(change);
  }

  /** Notes that the store has a chat at this version, and delivers the changes up to it that have not been delivered. */
  advanceTo({ chatId, version }: { chatId: number; version: number }): void {
    const chat = this.trackedChat(chatId, this.uncertainStart(version));
    if (chat.sequencer.noteStoredVersion(version)) this.readIfNeeded(chatId, chat);
  }

  /** Pushes a signal, here and in all other processes, best-effort and unordered; what lasts of it is read by `sync`. */
  publishSignal(signal: Signal): void {
    const { requester: _, ...body } = signal;
    const { bus, epoch } = this.options;
    publish(bus, signalTopic, { ...body, epoch: epoch.current });
    this.options.deliverSignal(signal);
  }

  /** Forgets what has been delivered: the database has another history now. Call it before its clients reconnect. */
  reset(): void {
    this.recent.clear();
    this.busy.clear();
  }

  /** Stops reading missing changes. */
  stop(): void {
    this.isStopped = true;
  }

  /**
   * Whether something published by another process belongs to the history in which this one works. Whatever belongs to
   * another is not needed: the clients of the process that is behind are about to reconnect and sync.
   */
  private isPresent(epoch: string | undefined): boolean {
    return epoch === undefined || epoch === this.options.epoch.current;
  }

  private accept(change: Change): Promise<void> | undefined {
    const { chatId, version } = change.message;
    const chat = this.trackedChat(chatId, this.uncertainStart(version - 1));
    if (chat.sequencer.accept(change)) return undefined;
    const delivered = new Promise<void>((resolve, reject) => {
      chat.sequencer.keepPending(change, (error) => (error ? reject(error) : resolve()));
      this.readIfNeeded(chatId, chat);
    });
    // Not every writer waits for it.
    delivered.catch(() => {});
    return delivered;
  }

  private recheck(chatIds: readonly number[]): void {
    for (const chatId of chatIds) {
      const chat = this.find(chatId);
      if (!chat) continue;
      chat.sequencer.noteDoubt();
      this.readIfNeeded(chatId, chat);
    }
  }

  private readIfNeeded(chatId: number, chat: TrackedChat): void {
    chat.gapReader?.retryNow();
    if (chat.gapReader || !chat.sequencer.needsRead) return;
    const { store, log } = this.options;
    const { sequencer, writes } = chat;
    chat.gapReader = new GapReader({
      chatId,
      sequencer,
      writes,
      reads: this.reads,
      isOutage: (error) => store.isOutage?.(error) ?? false,
      isStopped: () => this.isStopped || this.find(chatId) !== chat,
      onEnd: () => {
        chat.gapReader = undefined;
        this.releaseIfIdle(chatId, chat);
      },
      log,
    });
    this.busy.set(chatId, chat);
    void chat.gapReader.run();
  }

  private find(chatId: number): TrackedChat | undefined {
    return this.recent.get(chatId) ?? this.busy.get(chatId);
  }

  /** Earlier changes of other processes may not have arrived yet. */
  private uncertainStart(version: number): SequencerStart {
    return { version, hasPosition: this.options.store.startVersions === undefined };
  }

  private trackedChat(chatId: number, start: SequencerStart): TrackedChat {
    const known = this.find(chatId);
    if (known) return known;
    const chat: TrackedChat = {
      sequencer: new Sequencer(start, this.options.deliver),
      writes: new Set(),
      gapReader: undefined,
    };
    this.recent.set(chatId, chat);
    return chat;
  }

  private releaseIfIdle(chatId: number, chat: TrackedChat): void {
    if (chat.writes.size > 0 || chat.gapReader || this.find(chatId) !== chat) return;
    this.busy.delete(chatId);
    this.recent.set(chatId, chat);
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
