import type { MessageItem } from "./protocol.ts";

/** Consecutive messages, from the first `seq` to the last, both included. */
export interface Range {
  from: number;
  to: number;
}

const previewLength = 100;

/** The messages of a chat that are kept, and the ranges of `seq` in which none is missing. */
export class History {
  private readonly items = new Map<number, MessageItem>();
  private readonly seqs = new Map<number, number>();
  /** In rising order. They neither overlap nor touch. */
  private ranges: Range[] = [];
  /** While pages are loading: changes of messages that are not kept, which the page may not contain yet. */
  private lateChanges: { item: MessageItem; readerId: number | undefined }[] = [];
  private loads = 0;

  get size(): number {
    return this.items.size;
  }

  get allRanges(): readonly Readonly<Range>[] {
    return this.ranges;
  }

  get(seq: number): MessageItem | undefined {
    return this.items.get(seq);
  }

  /** The kept message with an id. */
  withId(messageId: number): MessageItem | undefined {
    const seq = this.seqs.get(messageId);
    return seq === undefined ? undefined : this.items.get(seq);
  }

  /** Whether a message of this sender with this client id is kept. */
  hasSent(senderId: number, clientMessageId: string): boolean {
    for (const item of this.items.values()) {
      if (item.senderId === senderId && item.clientMessageId === clientMessageId) return true;
    }
    return false;
  }

  /** The range that contains a `seq`. */
  rangeAt(seq: number): Readonly<Range> | undefined {
    return this.ranges.find(({ from, to }) => from <= seq && seq <= to);
  }

  /** The messages of a range that is kept. */
  slice({ from, to }: Range): MessageItem[] {
    const found: MessageItem[] = [];
    for (let seq = from; seq <= to; seq++) {
      const item = this.items.get(seq);
      if (item) found.push(item);
    }
    return found;
  }

  /** The ids of the senders of the messages that are kept. */
  senders(): Set<number> {
    return new Set([...this.items.values()].map(({ senderId }) => senderId));
  }

  /** Adds a new message. */
  append(item: MessageItem): void {
    this.put(item);
    this.addRange({ from: item.seq, to: item.seq });
  }

  /**
   * Applies the change of a message, to the message if it is kept and to the replies to it.
   * @param readerId the user who reads it, if the item is as everybody receives it
   * @returns the message as the user reads it
   */
  change(item: MessageItem, readerId?: number): MessageItem {
    const own = this.readBy(item, readerId);
    if (this.items.has(item.seq)) this.put(own);
    else if (this.loads > 0) this.lateChanges.push({ item, readerId });
    this.updateReplies(item);
    return own;
  }

  /** Notes that a page is being loaded. @returns a function to call when it is inserted, or was not received */
  beginLoad(): () => void {
    this.loads++;
    return () => {
      if (--this.loads === 0) this.lateChanges = [];
    };
  }

  /** Adds a page: all messages of a range. */
  insert(page: readonly MessageItem[], range: Range): void {
    for (const item of page) if (item.seq >= range.from && item.seq <= range.to) this.put(item);
    this.addRange(range);
    for (const { item, readerId } of this.lateChanges) {
      if (this.items.has(item.seq)) this.put(this.readBy(item, readerId));
      this.updateReplies(item);
    }
  }

  /** Removes the messages up to a `seq`. */
  removeUpTo(seq: number): void {
    this.retain([{ from: seq + 1, to: Number.MAX_SAFE_INTEGER }]);
  }

  /** Removes all messages outside of the given ranges. */
  retain(wanted: readonly Range[]): void {
    const kept = this.ranges.flatMap(({ from, to }) =>
      wanted
        .map((range) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }))
        .filter((range) => range.from <= range.to),
    );
    this.ranges = [];
    for (const range of kept) this.addRange(range);
    for (const [seq, { messageId }] of this.items) {
      if (this.rangeAt(seq)) continue;
      this.items.delete(seq);
      this.seqs.delete(messageId);
    }
  }

  private put(item: MessageItem): void {
    const known = this.items.get(item.seq);
    if (known && known.version > item.version) return;
    const original = item.replyTo && this.withId(item.replyTo.messageId);
    this.items.set(item.seq, original ? withPreviewOf(item, original) : item);
    this.seqs.set(item.messageId, item.seq);
  }

  /** Marks the reactions of a user: they follow from the change, and from the message before it. */
  private readBy(item: MessageItem, readerId: number | undefined): MessageItem {
    const { reactions, change } = item;
    if (!reactions || readerId === undefined) return item;
    const known = this.items.get(item.seq)?.reactions;
    const isOwnChange = change?.kind === "reaction" && change.by === readerId;
    return {
      ...item,
      reactions: reactions.map((reaction) => {
        const { emoji, userIds } = reaction;
        const isMine =
          isOwnChange && change.emoji === emoji
            ? change.on
            : userIds.includes(readerId) || known?.some((one) => one.mine && one.emoji === emoji);
        return isMine ? { ...reaction, mine: true } : reaction;
      }),
    };
  }

  /** The server does not send the replies to a changed message again. */
  private updateReplies(original: MessageItem): void {
    for (const [seq, reply] of this.items) {
      if (reply.replyTo?.messageId === original.messageId) this.items.set(seq, withPreviewOf(reply, original));
    }
  }

  private addRange(added: Range): void {
    const last = this.ranges.at(-1);
    if (last && last.to + 1 === added.from) {
      last.to = added.to;
      return;
    }
    const apart = ({ from, to }: Range) => to + 1 < added.from || added.to + 1 < from;
    const joined = this.ranges.filter((range) => !apart(range));
    const from = Math.min(added.from, ...joined.map((range) => range.from));
    const to = Math.max(added.to, ...joined.map((range) => range.to));
    this.ranges = [...this.ranges.filter(apart), { from, to }].sort((a, b) => a.from - b.from);
  }
}

function withPreviewOf(reply: MessageItem, original: MessageItem): MessageItem {
  if (!reply.replyTo) return reply;
  // Not half of a surrogate pair.
  const preview = original.message.slice(0, previewLength).replace(/[\ud800-\udbff]$/, "");
  const { deletedAt } = original;
  if (reply.replyTo.preview === preview && reply.replyTo.deletedAt === deletedAt) return reply;
  return { ...reply, replyTo: { ...reply.replyTo, preview, deletedAt } };
}
