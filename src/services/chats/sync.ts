import type { Database } from "../../db/connect.ts";
import {
  type ChangedChat,
  differences,
  type KnownChat,
  type LeftChat,
  type Scope,
} from "../../db/queries/chats/sync.ts";
import type { ChatMessage } from "../../domain/message.ts";

export type { ChangedChat, KnownChat, LeftChat };

/** What changed for a person since what a client knows. */
export interface SyncResult {
  /** With rows to take in, each replacing what the client has of it, in the order of their versions. */
  chats: ChangedChat[];
  /** Chats the client knows and the person is not in any more. */
  left: LeftChat[];
  /** The answer was full: this chat, and those with greater ids, are not told, or not all of it. */
  cutAt: number | undefined;
}

/** The size of an answer, in bytes of its rows. */
const fullAt = 512 * 1024;
/** What a chat takes in the answer beside its rows, in bytes; roughly. */
const chatSize = 300;
/** More changed rows of one chat than this are not told one by one, but the newest instead. */
const amount = { changes: 500, newest: 50, bytes: fullAt };

/** Catching up after any absence: the client says what it knows, and is told exactly what differs. */
export class Sync {
  constructor(private readonly options: { database: Database }) {}

  /**
   * The answer is the state of one moment.
   * @param sizeOf what a message takes in the answer, in bytes
   */
  async sync(scope: Scope, known: readonly KnownChat[], sizeOf: (message: ChatMessage) => number): Promise<SyncResult> {
    const { left, changed } = await differences(this.options.database, scope, known, amount);
    return { left, ...asMuchAsFits(changed, sizeOf) };
  }
}

/** Chat by chat until the answer is full. A message is never as large as that, so asking again gets further. */
function asMuchAsFits(
  changed: readonly ChangedChat[],
  sizeOf: (message: ChatMessage) => number,
): Pick<SyncResult, "chats" | "cutAt"> {
  const chats: ChangedChat[] = [];
  let room = fullAt;
  for (const chat of changed) {
    room -= chatSize;
    const messages: ChatMessage[] = [];
    for (const message of chat.messages) {
      room -= sizeOf(message);
      if (room < 0) break;
      messages.push(message);
    }
    const last = messages.at(-1);
    if (room < 0 && !last) return { chats, cutAt: chat.chatId };
    // Of changes the first ones that fit, and the rest later; of the newest messages those without a gap to the last.
    if (room < 0 && last && chat.difference === "changes") {
      chats.push({ ...chat, version: last.version, messages });
      return { chats, cutAt: chat.chatId };
    }
    chats.push({ ...chat, messages: messages.sort((a, b) => a.version - b.version) });
    if (room < 0) return { chats, cutAt: chat.nextChatId ?? undefined };
  }
  return { chats, cutAt: undefined };
}
