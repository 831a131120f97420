import { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import type { ChatMessage } from "../db/queries/messages.ts";
import {
  type ChangedChat,
  changedChats,
  changeSizes,
  changesOf,
  type KnownChat,
  type LeftChat,
  leftChats,
  type Scope,
  type Wanted,
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
/** What a chat takes in the answer beside its rows, and a row beside its text, in bytes; roughly. */
const chatSize = 300;
const rowSize = 400;
/** How many chats are looked at together. */
const chatsAtATime = 100;

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
        const sized = await withSizes(database, changed.slice(start, start + chatsAtATime), transaction);
        while (sized.length > 0 && answer.cutAt === undefined) {
          const batch = sized.splice(0, howManyFit(sized, answer.room));
          const rowsOf = await readRows(database, batch, answer.room, transaction);
          for (const one of batch) answer.add(one, rowsOf(one.chat.chatId));
        }
      }
      return { chats: answer.chats, left, cutAt: answer.cutAt };
    });
  }
}

/** A changed chat, and how much of it there is to tell. */
interface SizedChat {
  chat: ChangedChat;
  /** How many rows the client needs. */
  rows: number;
  /** About what they take in the answer. */
  bytes: number;
  /** They are the newest, instead of too many changes or of changes to something that is none of ours. */
  instead: boolean;
}

const isAhead = ({ knownVersion, version }: ChangedChat): boolean => knownVersion !== null && knownVersion > version;

const changesAfter = ({ chatId, knownVersion, clearedSeq }: ChangedChat): Wanted => ({
  chatId,
  afterVersion: knownVersion ?? 0,
  afterSeq: clearedSeq,
});

const newestOf = ({ chatId, lastSeq, clearedSeq }: ChangedChat): Wanted => ({
  chatId,
  afterVersion: 0,
  afterSeq: Math.max(lastSeq - newest, clearedSeq),
});

async function withSizes(
  database: Database,
  chats: readonly ChangedChat[],
  transaction: Transaction,
): Promise<SizedChat[]> {
  const changed = chats.filter((chat) => !isAhead(chat) && chat.knownVersion !== chat.version);
  const sizes = await changeSizes(database, changed.map(changesAfter), mostChanges + 1, transaction);
  const sizeOf = new Map(sizes.map((size) => [size.chatId, size]));
  return chats.map((chat) => {
    const { rows, bytes } = sizeOf.get(chat.chatId) ?? { rows: 0, bytes: 0 };
    const instead = isAhead(chat) || rows > mostChanges;
    return instead
      ? { chat, instead, rows: Math.min(newest, chat.lastSeq - chat.clearedSeq), bytes: newest * rowSize }
      : { chat, instead, rows, bytes: bytes + rows * rowSize };
  });
}

/** How many of these chats may be worth reading at once: at least one, and no more than the answer has room for. */
function howManyFit(chats: readonly SizedChat[], room: number): number {
  let left = room;
  const end = chats.findIndex(({ bytes }) => {
    left -= chatSize + bytes;
    return left < 0;
  });
  return end === -1 ? chats.length : end + 1;
}

async function readRows(
  database: Database,
  batch: readonly SizedChat[],
  room: number,
  transaction: Transaction,
): Promise<(chatId: number) => ChatMessage[]> {
  const changed = batch.filter(({ instead, rows }) => !instead && rows > 0).map(({ chat }) => changesAfter(chat));
  const replaced = batch.filter(({ instead }) => instead).map(({ chat }) => newestOf(chat));
  const messages = byChat([
    ...(await changesOf(database, changed, { limit: mostChanges, room }, transaction)),
    ...(await changesOf(database, replaced, { limit: newest }, transaction)),
  ]);
  return (chatId) => messages.get(chatId) ?? [];
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
  room = fullAt;

  constructor(private readonly sizeOf: (message: ChatMessage) => number) {}

  add({ chat, rows, instead }: SizedChat, messages: readonly ChatMessage[]): void {
    if (this.cutAt !== undefined) return;
    this.room -= chatSize;
    // Of changes the first ones that fit, and the rest later; of the newest messages the last ones that fit.
    const taken = instead ? this.fitting([...messages].reverse()).reverse() : this.fitting(messages);
    const isFull = this.room < 0 && this.chats.length > 0;
    const isCut = isFull || (taken.length < rows && (!instead || taken.length === 0));
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
