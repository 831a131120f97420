import type { Database } from "../../db/connect.ts";
import type { EpochMonitor } from "../../db/epoch-monitor.ts";
import {
  type ChangedChat,
  differences,
  type KnownChat,
  type KnownState,
  type LeftChat,
  type Scope,
} from "../../db/queries/chats/sync.ts";
import { type StateDifference, stateDifference } from "../../db/queries/state/personal-state.ts";
import type { ChatMessage } from "../../domain/message.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { maxAnswerBytes } from "../messages/answer-size.ts";

export type { ChangedChat, KnownChat, LeftChat };

/** The differences between what a client knows and what is stored. */
export interface SyncResult {
  /** The epoch of the database. */
  epoch: string;
  /** The time of the database. */
  time: Date;
  /** Chats with changed messages, in order of their versions. Each message replaces the client's copy of it. */
  chats: ChangedChat[];
  /** Chats that the client knows and the user is not a member of any more. */
  left: LeftChat[];
  /** Set if the answer is full: this chat and those with greater ids are missing or incomplete. */
  cutAt: number | undefined;
  /** What differs in the personal state; undefined if the client does not ask for it. */
  state: StateDifference | undefined;
}

/** The size of a chat in the answer without its messages, in bytes; an estimate. */
const chatBytes = 300;
/** A chat with more changed messages than this gets its newest ones instead. */
const maxChanges = 500;
/** How many newest ones, if the client does not say. */
const defaultNewest = 50;
/** The part of the answer that personal state may take, so that chats always make progress too. */
const maxStateBytes = maxAnswerBytes / 2;

/** What a client asks for. */
export interface SyncRequest {
  scope: Scope;
  known: KnownState;
  /** How many of the newest messages the client wants of each chat that it does not know or has to read anew. */
  newest?: number | undefined;
  /** The version of the personal state that the client has. */
  stateVersion?: number | undefined;
}

/** Brings a client up to date after any absence: the client says what it knows and gets the differences. */
export class Sync {
  constructor(
    private readonly options: {
      database: Database;
      epoch: EpochMonitor;
      metrics?: Pick<Metrics, "syncSeconds" | "syncChats"> | undefined;
    },
  ) {}

  /**
   * Returns the differences at one moment.
   * @param sizeOf the size of a message in the answer, in bytes
   */
  async sync(
    { scope, known, newest, stateVersion }: SyncRequest,
    sizeOf: (message: ChatMessage) => number,
  ): Promise<SyncResult> {
    const amount = {
      changes: maxChanges,
      newest: newest ?? defaultNewest,
      onlyNewestOfJoined: newest !== undefined,
    };
    const { database, metrics } = this.options;
    const startedAt = performance.now();
    const state =
      stateVersion === undefined ? undefined : await this.readState(scope.userId, stateVersion, known.epoch);
    const bytes = maxAnswerBytes - (state?.bytes ?? 0);
    const { epoch, time, left, changed } = await differences(database, scope, known, { ...amount, bytes });
    if (epoch !== this.options.epoch.current) await this.options.epoch.checkPool(database);
    const fitting = fitIntoAnswer(changed, sizeOf, bytes);
    metrics?.syncSeconds.observe((performance.now() - startedAt) / 1000);
    metrics?.syncChats.add("left", left.length);
    for (const { difference } of fitting.chats) metrics?.syncChats.add(difference);
    return { epoch, time, left, state: state?.difference, ...fitting };
  }

  private async readState(userId: number, stateVersion: number, epoch: string | undefined) {
    const { database } = this.options;
    const difference = await stateDifference(database, { userId, stateVersion, epoch, bytes: maxStateBytes });
    return { difference, bytes: Buffer.byteLength(JSON.stringify(difference.entries)) };
  }
}

/** Adds chats until the answer is full. It always holds at least one message, so repeated requests make progress. */
function fitIntoAnswer(
  changed: readonly ChangedChat[],
  sizeOf: (message: ChatMessage) => number,
  maxBytes: number,
): Pick<SyncResult, "chats" | "cutAt"> {
  const chats: ChangedChat[] = [];
  let bytesLeft = maxBytes;
  for (const chat of changed) {
    bytesLeft -= chatBytes;
    const messages: ChatMessage[] = [];
    for (const message of chat.messages) {
      bytesLeft -= sizeOf(message);
      if (bytesLeft < 0) break;
      messages.push(message);
    }
    const last = messages.at(-1);
    if (bytesLeft < 0 && !last) return { chats, cutAt: chat.chatId };
    // Changes: the first ones that fit now, and the rest later. Newest messages: those without a gap up to the last one.
    if (bytesLeft < 0 && last && chat.difference === "changes") {
      chats.push({ ...chat, version: last.version, messages });
      return { chats, cutAt: chat.chatId };
    }
    chats.push({ ...chat, messages: messages.sort((a, b) => a.version - b.version) });
    if (bytesLeft < 0) return { chats, cutAt: chat.nextChatId ?? undefined };
  }
  return { chats, cutAt: undefined };
}
