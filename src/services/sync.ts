import { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import type { ChatMessage } from "../db/queries/messages.ts";
import {
  type ChangedChat,
  changedChats,
  changesOf,
  type KnownChat,
  type LeftChat,
  leftChats,
  type Scope,
} from "../db/queries/sync.ts";

export type { KnownChat, LeftChat };

/** What changed in one chat. */
export interface ChatCatchUp extends ChangedChat {
  /** Rows to take in, each replacing what the client has of it, in the order of their versions. */
  messages: ChatMessage[];
  /** The client did not have this chat. */
  joined: boolean;
  /** More changed than is told one by one: drop what you have, these are the newest. */
  tooLong: boolean;
  /** The client is ahead of the server, which was restored from a backup: drop what you have, these are the newest. */
  reset: boolean;
}

/** What changed for a person since what a client knows. */
export interface CatchUp {
  chats: ChatCatchUp[];
  /** Chats the client knows and the person is not in any more. */
  left: LeftChat[];
  /** The answer was full: this chat, and those with greater ids, are not told, or not all of it. */
  cutAt: number | undefined;
}

/** More changed rows of one chat than this are not told one by one. */
const mostChanges = 500;
/** How many of the newest messages are told instead. */
const newest = 50;
/** The size of an answer, in bytes of its rows. */
const fullAt = 512 * 1024;
/** Few, since each may bring hundreds of long rows, of which only as many as fit are told. */
const chatsAtATime = 4;

/** The rows of a changed chat. */
interface Rows {
  messages: ChatMessage[];
  /** They are the newest, instead of too many changes. */
  instead: boolean;
}

/** Catching up after any absence: the client says what it knows, and is told exactly what differs. */
export class Sync {
  constructor(private readonly options: { database: Database }) {}

  /**
   * Reads everything from one snapshot, so that the answer is the state of one moment.
   * @param sizeOf what a message takes in the answer, in bytes
   */
  catchUp(scope: Scope, known: readonly KnownChat[], sizeOf: (message: ChatMessage) => number): Promise<CatchUp> {
    const { database } = this.options;
    const isolationLevel = Transaction.ISOLATION_LEVELS.REPEATABLE_READ;
    return database.transaction({ isolationLevel }, async (transaction) => {
      const left = await leftChats(database, scope, known, transaction);
      const changed = await changedChats(database, scope, known, transaction);
      const answer = new Answer(sizeOf);
      for (let start = 0; start < changed.length && answer.cutAt === undefined; start += chatsAtATime) {
        const batch = changed.slice(start, start + chatsAtATime);
        const rows = await rowsOf(database, batch, transaction);
        for (const chat of batch) answer.add(chat, rows(chat.chatId));
      }
      return { chats: answer.chats, left, cutAt: answer.cutAt };
    });
  }
}

const isAhead = ({ knownVersion, version }: ChangedChat): boolean => knownVersion !== null && knownVersion > version;

/** Of each chat what comes after the client's version; where that is too much, or its version is none of ours, the newest. */
async function rowsOf(
  database: Database,
  batch: readonly ChangedChat[],
  transaction: Transaction,
): Promise<(chatId: number) => Rows> {
  const after = batch
    .filter((chat) => !isAhead(chat) && chat.knownVersion !== chat.version)
    .map(({ chatId, knownVersion, clearedSeq }) => ({ chatId, afterVersion: knownVersion ?? 0, afterSeq: clearedSeq }));
  const changes = byChat(await changesOf(database, after, mostChanges + 1, transaction));

  const instead = batch.filter((chat) => isAhead(chat) || (changes.get(chat.chatId)?.length ?? 0) > mostChanges);
  const places = instead.map(({ chatId, lastSeq, clearedSeq }) => ({
    chatId,
    afterVersion: 0,
    afterSeq: Math.max(lastSeq - newest, clearedSeq),
  }));
  const newestOf = byChat(await changesOf(database, places, newest, transaction));

  const replaced = new Set(instead.map(({ chatId }) => chatId));
  return (chatId) =>
    replaced.has(chatId)
      ? { messages: newestOf.get(chatId) ?? [], instead: true }
      : { messages: changes.get(chatId) ?? [], instead: false };
}

function byChat(messages: readonly ChatMessage[]): Map<number, ChatMessage[]> {
  const chats = new Map<number, ChatMessage[]>();
  for (const message of messages) {
    const chat = chats.get(message.chatId);
    if (chat) chat.push(message);
    else chats.set(message.chatId, [message]);
  }
  return chats;
}

/** An answer that grows chat by chat until it is full. The first row always fits, so that asking again gets further. */
class Answer {
  readonly chats: ChatCatchUp[] = [];
  cutAt: number | undefined;
  private room = fullAt;

  constructor(private readonly sizeOf: (message: ChatMessage) => number) {}

  add(chat: ChangedChat, { messages, instead }: Rows): void {
    if (this.cutAt !== undefined) return;
    // Of changes the first ones that fit, and the rest later; of the newest messages the last ones that fit.
    const taken = instead ? this.fitting([...messages].reverse()).reverse() : this.fitting(messages);
    const isCut = taken.length < messages.length && (!instead || taken.length === 0);
    if (isCut) this.cutAt = chat.chatId;
    if (isCut && taken.length === 0) return;
    this.chats.push({
      ...chat,
      version: isCut ? (taken.at(-1)?.version ?? chat.version) : chat.version,
      messages: taken,
      joined: chat.knownVersion === null,
      tooLong: instead && !isAhead(chat),
      reset: isAhead(chat),
    });
  }

  private fitting(messages: readonly ChatMessage[]): ChatMessage[] {
    const taken: ChatMessage[] = [];
    for (const message of messages) {
      const size = this.sizeOf(message);
      if (size > this.room && (taken.length > 0 || this.chats.length > 0)) break;
      this.room -= size;
      taken.push(message);
    }
    return taken;
  }
}
