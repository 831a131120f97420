import { LoadedList } from "./loaded-list.ts";
import type { Message } from "./message.ts";

/** The pinned messages of a chat, the newest pin first. */
export class PinnedMessages extends LoadedList<Message> {
  /** Applies the change of a message. */
  apply(message: Message): void {
    if (!message.change) return;
    this.change((rows) => {
      const others = rows.filter(({ messageId }) => messageId !== message.messageId);
      if (message.pinned) return [...others, message].sort(byNewestPin);
      return others.length < rows.length ? others : rows;
    });
  }
}

const byNewestPin = (a: Message, b: Message): number =>
  (b.pinned?.at ?? "").localeCompare(a.pinned?.at ?? "") || (b.seq ?? 0) - (a.seq ?? 0);
