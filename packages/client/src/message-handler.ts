import { Backoff, wait } from "./backoff.ts";
import type { Chat } from "./chat.ts";
import { Deferred } from "./deferred.ts";
import { toMessengerError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Message } from "./message.ts";
import type { MessageItem } from "./protocol.ts";
import type { ChatState } from "./replica.ts";
import type { StorePart } from "./store.ts";

/** What a bot does with a message. What it sends on `chat` is sent once, however often it is called for the same message. */
export type HandleMessage = (message: Message, chat: Chat) => Promise<void> | void;

const pageLimit = 50;
/** The wait before the next attempt when the store or the server has failed. */
const retryMs = 1000;

/**
 * Calls a function with each message of others, in the order of each chat. How far it has come is kept in the store: after
 * a restart it goes on with the first message for which the function has not resolved.
 */
export class MessageHandler {
  private readonly marks = new Map<number, number>();
  private readonly running = new Set<number>();
  private isEnded = false;
  private readonly ended = new Deferred<void>();

  constructor(
    private readonly name: string,
    private readonly work: HandleMessage,
    private readonly context: {
      store: StorePart;
      log: Log;
      onStoreFailure(error: unknown): void;
      isLive(): boolean;
      chat(chatId: number): Chat | undefined;
      /** Reads the messages after a `seq`. @throws MessengerError */
      readAfter(chatId: number, seq: number, limit: number): Promise<readonly MessageItem[]>;
    },
  ) {}

  /** Handles the messages of a chat that are new. */
  note(chatId: number): void {
    if (this.isEnded || this.running.has(chatId) || !this.context.isLive()) return;
    this.running.add(chatId);
    this.run(chatId)
      .catch((error) => {
        this.context.log.warn(`handler ${this.name}: ${toMessengerError(error).code}`);
        return wait(retryMs, this.ended.promise);
      })
      .finally(() => {
        this.running.delete(chatId);
        const state = this.context.chat(chatId)?.state;
        if (state && (this.marks.get(chatId) ?? state.lastSeq) < state.lastSeq) this.note(chatId);
      });
  }

  /** Calls the function no more. */
  end(): void {
    this.isEnded = true;
    this.ended.resolve();
  }

  private async run(chatId: number): Promise<void> {
    for (;;) {
      const chat = this.context.chat(chatId);
      const state = chat?.state;
      if (!chat || !state || this.isEnded || !this.context.isLive()) return;
      const mark = await this.markOf(state);
      if (mark >= state.lastSeq) return;
      const items = await this.messagesAfter(state, mark);
      for (const item of items) {
        await this.handle(chat, item);
        if (this.isEnded) return;
        await this.setMark(chatId, item.seq);
      }
      // They are hidden.
      if (items.length === 0) await this.setMark(chatId, state.lastSeq);
    }
  }

  /** Where the handler goes on: at first with the unread messages. */
  private async markOf({ chatId, readSeq, lastSeq }: ChatState): Promise<number> {
    const known = this.marks.get(chatId) ?? (await this.context.store.get(this.key(chatId)).catch(() => {}));
    if (typeof known !== "number") return this.setMark(chatId, readSeq);
    // After the server's data was restored, the chat may be shorter.
    const mark = Math.min(known, lastSeq);
    this.marks.set(chatId, mark);
    return mark;
  }

  private async setMark(chatId: number, seq: number): Promise<number> {
    this.marks.set(chatId, seq);
    await this.context.store.set(this.key(chatId), seq).catch(this.context.onStoreFailure);
    return seq;
  }

  private async messagesAfter({ chatId, history, lastSeq }: ChatState, mark: number): Promise<readonly MessageItem[]> {
    const kept = history.rangeAt(mark + 1);
    if (kept) return history.slice({ from: mark + 1, to: Math.min(kept.to, lastSeq, mark + pageLimit) });
    return this.context.readAfter(chatId, mark, pageLimit);
  }

  private async handle(chat: Chat, item: MessageItem): Promise<void> {
    const message = chat.toMessage(item);
    if (message.isMine || message.notification || message.deletedAt) return;
    const backoff = new Backoff();
    while (!this.isEnded) {
      try {
        const sends: Promise<void>[] = [];
        await this.work(message, this.repeatable(chat, item.messageId, sends));
        await Promise.all(sends);
        chat.markRead(item.seq);
        return;
      } catch (error) {
        this.context.log.warn(`handler ${this.name} failed for message ${item.messageId}: ${error}`);
        await wait(1000 + backoff.next(), this.ended.promise);
      }
    }
  }

  /** The chat with a `send` whose ids follow from the message, so that what is sent again is not stored again. */
  private repeatable(chat: Chat, messageId: number, sends: Promise<void>[]): Chat {
    let count = 0;
    const send: Chat["send"] = (text, options = {}) => {
      const clientMessageId = `${this.name}.reply.${messageId}.${++count}`;
      const message = chat.send(text, { clientMessageId, ...options });
      // If the store fails, it is sent from memory.
      sends.push(message.stored.catch(() => {}));
      return message;
    };
    return Object.create(chat, { send: { value: send } });
  }

  private key(chatId: number): string {
    return `handled/${this.name}/${chatId}`;
  }
}
