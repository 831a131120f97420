import type { Bus } from "../bus/bus.ts";
import type { Change, Signal } from "../domain/change.ts";
import type { ChatMessage } from "../domain/message.ts";
import type { Logger } from "../logger.ts";
import { decodeChange, decodeSignal } from "./bus-codec.ts";

/** What delivery reads of the store. */
export interface ChangeReader {
  /**
   * The changes of a chat after a version, in order, at most `limit` of them; of those `later` that are left out the
   * notices about the group; and who is in the chat after all of them.
   */
  changesAfter(
    chatId: number,
    version: number,
    limit: number,
  ): Promise<{ messages: ChatMessage[]; later: ChatMessage[]; memberIds: number[] }>;
  /** Settles when no commit of a change of this chat is under way. */
  settled(chatId: number): Promise<void>;
  /**
   * Where to start with a chat that is not remembered: its version before whatever may not have been given out. Only
   * where other processes write too: what they added before us may still be on its way here.
   */
  startOf?: (chatId: number) => Promise<number>;
}

/** Ends a write: its changes, if any, have been announced, or it is not known whether it was committed. */
export type EndWrite = (outcome: { inDoubt: boolean }) => void;

interface TrackedChat {
  /** The last version given out. */
  version: number;
  /** Whether that is known for certain; see `startOf`. */
  placed: boolean;
  /** A version that was seen in the store, without the change. */
  seen: number;
  /** Writes of this process that have not ended. */
  underWay: Set<Promise<void>>;
  /** Committed, and waiting for the versions before them. */
  heard: Map<number, { change: Change; given: () => void }>;
  /** Whether a commit may have added something that nobody announces. */
  inDoubt: boolean;
  isRead: boolean;
  /** Ends the pause between two attempts to read. */
  endPause: () => void;
}

/** How many chats are remembered; the ones longest without a change are forgotten first. */
const maxTrackedChats = 100_000;
const rowsPerReading = 500;
const retryReadingMs = { first: 200, most: 5000 };
/**
 * When to look again for a commit in doubt, in milliseconds after the first look. What a process has sent and given up,
 * the network may still bring to the database when it works again.
 */
const inDoubtRecheckMs = [1000, 5000, 15_000, 60_000];

/**
 * The one ordered way out for committed changes. Two writers may hear of their commits in another order than that of
 * the commits; clients may not. Per chat the next version goes out, a smaller one has been out already, and before a
 * greater one whatever is missing is waited for, if it is a write of this process, or read from the store.
 * So it is with what other processes tell: it may come late, in any order or never, and costs a reading at the worst.
 */
export class Delivery {
  private readonly chats = new Map<number, TrackedChat>();
  private stopped = false;

  constructor(
    private readonly options: {
      store: ChangeReader;
      bus: Bus;
      log: Logger;
      /** Hands one change to whoever is connected. Called in order of versions per chat. */
      deliver: (change: Change) => void;
      /** Hands a signal to whoever is connected. */
      deliverSignal: (signal: Signal) => void;
    },
  ) {
    const { bus, deliverSignal } = options;
    bus.subscribe("change", (body) => {
      const change = decodeChange(body);
      if (change) void this.take(change);
    });
    bus.subscribe("signal", (body) => {
      const signal = decodeSignal(body);
      if (signal) deliverSignal(signal);
    });
  }

  /** Whether the last version given out of this chat is known. */
  isTracked(chatId: number): boolean {
    return this.chats.has(chatId);
  }

  /** Says where a chat stands, unless that is known. To be called before anything is added to it. */
  track(chatId: number, version: number): void {
    if (!this.chats.has(chatId)) this.live(chatId, version);
  }

  /** Says that chats which are followed are about to be written to, so that what others have added later waits. */
  beginWrite(chatIds: readonly number[]): EndWrite {
    const { promise, resolve } = withResolver();
    const chats = chatIds.flatMap((chatId) => {
      const chat = this.chats.get(chatId);
      chat?.underWay.add(promise);
      return chat ? [{ chatId, chat }] : [];
    });
    return ({ inDoubt }) => {
      resolve();
      for (const { chatId, chat } of chats) {
        chat.underWay.delete(promise);
        chat.inDoubt ||= inDoubt;
        this.readIfNeeded(chatId, chat);
      }
      if (inDoubt) for (const ms of inDoubtRecheckMs) setTimeout(() => this.lookAgain(chatIds), ms).unref();
    };
  }

  private lookAgain(chatIds: readonly number[]): void {
    for (const chatId of chatIds) {
      const chat = this.chats.get(chatId);
      if (!chat) continue;
      chat.inDoubt = true;
      this.readIfNeeded(chatId, chat);
    }
  }

  /**
   * Gives out a committed change, here and in every other process, after whatever the chat has before it. Settles when
   * that is done here.
   */
  publish(change: Change): Promise<void> | undefined {
    const { message, recipientIds } = change;
    this.options.bus.publish("change", { message, recipientIds });
    return this.take(change);
  }

  /** Says that the store has a chat at this version: what was not given out up to there is given out now. */
  advanceTo({ chatId, version }: { chatId: number; version: number }): void {
    const chat = this.live(chatId, version);
    if (chat.placed && version <= chat.version) return;
    chat.seen = Math.max(chat.seen, version);
    this.readIfNeeded(chatId, chat);
  }

  /** Tells whoever is connected now, in no order and to nobody later: what lasts of it is read by `sync`. */
  publishSignal(signal: Signal): void {
    const { requester: _, ...news } = signal;
    this.options.bus.publish("signal", news);
    this.options.deliverSignal(signal);
  }

  /** Gives up the attempts to read what is missing. */
  stop(): void {
    this.stopped = true;
  }

  private take(change: Change): Promise<void> | undefined {
    const { chatId, version } = change.message;
    const chat = this.live(chatId, version - 1);
    if (chat.placed && version <= chat.version) return undefined;
    if (!chat.placed || version > chat.version + 1) {
      return new Promise((resolve) => {
        chat.heard.set(version, { change, given: resolve });
        this.readIfNeeded(chatId, chat);
      });
    }
    this.give(chat, change);
    this.giveNext(chat);
    return undefined;
  }

  private live(chatId: number, version: number): TrackedChat {
    const known = this.chats.get(chatId);
    if (known) {
      this.chats.delete(chatId);
      this.chats.set(chatId, known);
      return known;
    }
    for (const [oldest, chat] of this.chats) {
      if (this.chats.size < maxTrackedChats) break;
      if (!chat.isRead && chat.underWay.size === 0 && chat.heard.size === 0) this.chats.delete(oldest);
    }
    const placed = this.options.store.startOf === undefined;
    const fresh: TrackedChat = {
      version,
      placed,
      seen: 0,
      underWay: new Set(),
      heard: new Map(),
      inDoubt: false,
      isRead: false,
      endPause: () => {},
    };
    this.chats.set(chatId, fresh);
    return fresh;
  }

  private give(chat: TrackedChat, change: Change): void {
    chat.version = change.message.version;
    this.options.deliver(change);
  }

  /** Gives out what waited for the version that was just given. */
  private giveNext(chat: TrackedChat): void {
    for (let next = chat.heard.get(chat.version + 1); next; next = chat.heard.get(chat.version + 1)) {
      this.giveHeard(chat, next);
    }
  }

  private giveHeard(chat: TrackedChat, { change, given }: { change: Change; given: () => void }): void {
    chat.heard.delete(change.message.version);
    this.give(chat, change);
    given();
  }

  private readIfNeeded(chatId: number, chat: TrackedChat): void {
    // Whoever has news has just seen the store at work.
    chat.endPause();
    if (chat.isRead || !isMissing(chat)) return;
    chat.isRead = true;
    void this.readMissing(chatId, chat);
  }

  /** Reads and gives out until nothing is missing; keeps trying while the store is away. */
  private async readMissing(chatId: number, chat: TrackedChat): Promise<void> {
    let pauseMs = retryReadingMs.first;
    // Most often what is missing is a write of this process, which will say so itself.
    await ended(chat);
    while (isMissing(chat) && !this.stopped) {
      try {
        await this.readOn(chatId, chat);
      } catch (error) {
        this.options.log.warn({ err: error, chatId }, "changes could not be read for delivery; trying again");
        await new Promise<void>((resolve) => {
          chat.endPause = resolve;
          setTimeout(resolve, pauseMs).unref();
        });
        pauseMs = Math.min(pauseMs * 2, retryReadingMs.most);
      }
    }
    // In the same breath as the last look at what is missing, or news in between would wait for the next.
    chat.isRead = false;
    // Committed it is, whether or not it can be given out any more.
    for (const { given } of chat.heard.values()) given();
  }

  private async readOn(chatId: number, chat: TrackedChat): Promise<void> {
    const { store } = this.options;
    const wasInDoubt = chat.inDoubt;
    if (wasInDoubt) await store.settled(chatId);
    chat.inDoubt = false;
    try {
      if (!chat.placed) await this.place(chatId, chat);
      const heardOf = Math.max(chat.seen, ...chat.heard.keys());
      const { messages, later, memberIds } = await store.changesAfter(chatId, chat.version, rowsPerReading);
      // A write of this process may be among them and have not said so yet. It knows who asked for it.
      await ended(chat);
      const isAll = messages.length < rowsPerReading;
      chat.inDoubt ||= wasInDoubt && !isAll;
      this.giveRead(chat, toChanges(messages, membersBefore(later, memberIds)), isAll ? heardOf : 0);
      if (isAll && chat.seen <= heardOf) chat.seen = 0;
    } catch (error) {
      chat.inDoubt ||= wasInDoubt;
      throw error;
    }
  }

  private async place(chatId: number, chat: TrackedChat): Promise<void> {
    const start = (await this.options.store.startOf?.(chatId)) ?? chat.version;
    // What was heard of is news, however old it is.
    chat.version = Math.min(start, ...[...chat.heard.keys()].map((version) => version - 1));
    chat.placed = true;
  }

  /**
   * Gives out what was read, and what was heard of among it or before it.
   * @param heardOf a version up to which everything was stored when it was read: what is not there now has been changed
   *   since, and stands further on, or was removed with its chat
   */
  private giveRead(chat: TrackedChat, changes: readonly Change[], heardOf: number): void {
    const read = new Map(changes.map((change) => [change.message.version, change]));
    const upTo = Math.max(heardOf, ...read.keys());
    const versions = new Set([...read.keys(), ...chat.heard.keys()]);
    for (const version of [...versions].sort((a, b) => a - b)) {
      if (version <= chat.version || version > upTo) continue;
      const heard = chat.heard.get(version);
      const change = read.get(version);
      if (heard) this.giveHeard(chat, heard);
      else if (change) this.give(chat, change);
    }
    this.giveNext(chat);
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const isMissing = ({ inDoubt, heard, seen, version, placed }: TrackedChat): boolean =>
  inDoubt || heard.size > 0 || (seen > 0 && (!placed || seen > version));

/** Settles when the writes that are under way now have ended. */
const ended = (chat: TrackedChat): Promise<unknown> => Promise.all(chat.underWay);

/** Who was in the chat before these changes, from who is after them. */
function membersBefore(messages: readonly ChatMessage[], memberIds: Iterable<number>): Set<number> {
  const members = new Set(memberIds);
  for (const message of [...messages].reverse()) undo(message, members);
  return members;
}

/** Who is told of changes that were read: who was in the chat after each, which the changes after it tell. */
function toChanges(messages: readonly ChatMessage[], members: Set<number>): Change[] {
  const changes = [...messages].reverse().map((message) => {
    const change = { message, recipientIds: recipientsOf(message, members) };
    undo(message, members);
    return change;
  });
  return changes.reverse();
}

function undo({ event, sender }: ChatMessage, members: Set<number>): void {
  if (event?.kind === "memberAdded" && event.userId !== undefined) members.delete(event.userId);
  if (event?.kind === "memberRemoved" && event.userId !== undefined) members.add(event.userId);
  if (event?.kind === "memberLeft") members.add(event.byUserId);
  if (event?.kind === "groupCreated") members.delete(sender.id);
  for (const userId of event?.memberIds ?? []) members.add(userId);
}

/** Who hears of a change: the members after it, of a coming or going the one who came or went, of the end everybody. */
export function recipientsOf({ event }: ChatMessage, memberIds: Iterable<number>): number[] {
  const recipients = new Set([...memberIds, ...(event?.memberIds ?? [])]);
  const moved = event?.kind === "memberLeft" ? event.byUserId : event?.userId;
  if (moved !== undefined) recipients.add(moved);
  return [...recipients];
}
