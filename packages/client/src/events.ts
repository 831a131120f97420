import type { Chat } from "./chat.ts";
import type { Message } from "./message.ts";

/** Something that has happened in a chat. */
export type MessengerEvent =
  /** A new message, or a change of one: `edit`, `delete`, `reaction`, `pin`, or a kind that a newer server knows. */
  | {
      readonly type: "message" | "edit" | "delete" | "reaction" | "pin" | (string & {});
      readonly chat: Chat;
      readonly message: Message;
    }
  /**
   * `joined`: the chat is new to this device. `left`: the user is no longer in it. `reset`: more has happened than is
   * reported one by one, so read the chat anew.
   */
  | { readonly type: "joined" | "left" | "reset"; readonly chat: Chat; readonly message?: undefined };

/** Events of one chat that are kept for a reader that is slow. */
const maxWaiting = 500;

/** The events since it was created, for one reader. */
export class EventStream implements AsyncIterableIterator<MessengerEvent> {
  private waiting: MessengerEvent[] = [];
  private readonly counts = new Map<Chat, number>();
  private wake: (() => void) | undefined;
  private isEnded = false;

  constructor(private readonly onEnd: (stream: EventStream) => void) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: MessengerEvent): void {
    if (this.isEnded) return;
    const { chat } = event;
    const count = (this.counts.get(chat) ?? 0) + 1;
    this.counts.set(chat, count);
    if (count > maxWaiting) {
      this.waiting = this.waiting.filter((waiting) => waiting.chat !== chat);
      this.waiting.push({ type: "reset", chat });
      this.counts.set(chat, 1);
    } else this.waiting.push(event);
    this.wake?.();
  }

  async next(): Promise<IteratorResult<MessengerEvent, undefined>> {
    for (;;) {
      const event = this.waiting.shift();
      if (event) {
        this.counts.set(event.chat, (this.counts.get(event.chat) ?? 1) - 1);
        return { done: false, value: event };
      }
      if (this.isEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<MessengerEvent, undefined>> {
    this.end();
    this.waiting = [];
    return { done: true, value: undefined };
  }

  /** Ends the stream after the events that are waiting. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.onEnd(this);
    this.wake?.();
  }
}
