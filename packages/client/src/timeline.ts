import { toMessengerError } from "./errors.ts";
import type { Range } from "./history.ts";
import type { Message } from "./message.ts";
import { Derived, type Observable, sameIfEqual } from "./observable.ts";
import type { MessageItem } from "./protocol.ts";
import { type ChatState, pageSize } from "./replica.ts";

/** A part of a chat, in the order of the chat and without holes. Unsent messages follow the newest. */
export interface TimelineValue {
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** Where a timeline begins: at the newest messages, the first unread one, or a position. */
export type TimelineStart = "newest" | "unread" | { seq: number };

/** What a timeline needs of its chat. */
export interface TimelineSource {
  /** The state of the chat; undefined while it is not known. */
  state(): ChatState | undefined;
  /** The read position, with those that are not sent yet. */
  readSeq(): number;
  toMessage(item: MessageItem): Message;
  unsent(): Message[];
  /**
   * Reads a page from the server into the state.
   * @returns the range that is complete now; undefined if there was nothing
   */
  loadPage(position: { before: number } | { after: number } | { around: number }): Promise<Range | undefined>;
  onClose(timeline: Timeline): void;
}

/** A window over the messages of a chat, which moves by `loadOlder` and `loadNewer` and follows the newest messages at its end. */
export class Timeline implements Observable<TimelineValue> {
  private readonly view: Derived<TimelineValue>;
  /** The first and last `seq` that are shown. */
  private shown: Range | undefined;
  /** Whether the window ends with the newest message and follows it. */
  private isAtEnd = true;
  private anchor: number | undefined;
  private history: ChatState["history"] | undefined;
  private loading: Promise<void> | undefined;
  private isClosed = false;

  /** @param maxSize the most messages that are shown at once */
  constructor(
    private readonly source: TimelineSource,
    private readonly at: TimelineStart,
    private readonly maxSize: number,
  ) {
    this.view = new Derived((previous) => this.compute(previous));
    this.update();
  }

  get value(): TimelineValue {
    return this.view.value;
  }

  subscribe(listener: (value: TimelineValue) => void): () => void {
    return this.view.subscribe(listener);
  }

  /** The range that has to be kept. */
  get window(): Range | undefined {
    return this.shown;
  }

  /** Shows older messages. @throws MessengerError if they cannot be read */
  async loadOlder(): Promise<void> {
    await this.load(async (state, shown) => {
      const before = shown.from;
      if (before <= state.clearedSeq + 1) return;
      const kept = state.history.rangeAt(before - 1);
      const range = kept ?? (await this.source.loadPage({ before }));
      if (range && this.shown)
        this.moveTo({ from: Math.max(range.from, before - pageSize), to: this.shown.to }, "older");
    });
  }

  /** Shows newer messages. @throws MessengerError if they cannot be read */
  async loadNewer(): Promise<void> {
    await this.load(async (state, shown) => {
      if (this.isAtEnd) return;
      const after = shown.to;
      const kept = state.history.rangeAt(after + 1);
      const range = kept ?? (await this.source.loadPage({ after }));
      if (range && this.shown)
        this.moveTo({ from: this.shown.from, to: Math.min(range.to, after + pageSize) }, "newer");
    });
  }

  /** Ends the timeline: its messages need not be kept any more. */
  close(): void {
    this.isClosed = true;
    this.source.onClose(this);
  }

  /** Is called when the chat has changed. */
  update(): void {
    const state = this.source.state();
    if (state && state.history !== this.history) {
      // The first time, or everything kept was discarded.
      this.history = state.history;
      this.open(state);
    } else if (state && this.shown && (this.isAtEnd || state.clearedSeq === state.lastSeq)) this.followEnd(state);
    this.view.invalidate();
  }

  /** Is called when there is a connection: what could not be read before is read now. */
  resume(): void {
    const state = this.source.state();
    if (!state || this.isClosed) return;
    if (this.isUnopened) this.openAround().catch(() => {});
    else this.fill();
  }

  private open(state: ChatState): void {
    const { shown } = this;
    this.shown = undefined;
    const readSeq = this.source.readSeq();
    if (shown && !this.isAtEnd) this.anchor = shown.from;
    else if (typeof this.at === "object" && !shown) this.anchor = this.at.seq;
    else if (this.at === "unread" && !shown && readSeq < state.lastSeq) this.anchor = readSeq + 1;
    else this.anchor = undefined;
    if (this.anchor === undefined || state.clearedSeq === state.lastSeq) {
      this.openAtEnd(state);
      return;
    }
    this.anchor = Math.min(Math.max(this.anchor, state.clearedSeq + 1), state.lastSeq);
    const kept = state.history.rangeAt(this.anchor);
    if (kept) this.showAround(this.anchor, kept);
    else this.openAround().catch(() => {});
  }

  /** Whether the first page is still missing. */
  private get isUnopened(): boolean {
    return this.anchor !== undefined && !this.shown;
  }

  private openAtEnd(state: ChatState): void {
    this.isAtEnd = true;
    this.anchor = undefined;
    const end = state.history.rangeAt(state.lastSeq);
    const from = end ? Math.max(end.from, state.lastSeq - pageSize + 1) : state.lastSeq + 1;
    this.shown = { from, to: state.lastSeq };
    this.fill();
  }

  /** Reads the first page around the anchor. If that fails, `resume`, `loadOlder` and `loadNewer` try again. */
  private async openAround(): Promise<void> {
    this.isAtEnd = false;
    while (this.loading !== undefined) await this.loading;
    const { anchor, history } = this;
    if (anchor === undefined || this.shown || this.isClosed) return;
    let failure: unknown;
    this.loading = this.source
      .loadPage({ around: anchor })
      .then((range) => {
        const state = this.source.state();
        // If everything kept was discarded meanwhile, it is opened again.
        if (range) this.showAround(Math.min(Math.max(anchor, range.from), range.to), range);
        else if (state?.history === history && state && this.anchor === anchor) this.openAtEnd(state);
      })
      .catch((error) => {
        failure = error;
      })
      .finally(() => {
        this.loading = undefined;
      });
    await this.loading;
    if (failure !== undefined) throw toMessengerError(failure);
  }

  private showAround(anchor: number, range: Range): void {
    const half = Math.floor(pageSize / 2);
    this.anchor = undefined;
    this.shown = { from: Math.max(range.from, anchor - half), to: Math.min(range.to, anchor + half) };
    this.isAtEnd = false;
    this.checkEnd();
    this.view.invalidate();
  }

  /** Fills the first page of a chat of which fewer messages are kept. */
  private fill(): void {
    const state = this.source.state();
    if (!state || !this.shown) return;
    const isShort = this.shown.to - this.shown.from + 1 < pageSize && this.shown.from > state.clearedSeq + 1;
    // Without a connection, `resume` tries again.
    if (isShort) this.loadOlder().catch(() => {});
  }

  /** Moves the window along with new messages. */
  private followEnd(state: ChatState): void {
    const end = state.history.rangeAt(state.lastSeq);
    if (!this.shown) return;
    // A message in between is still missing: a sync is running.
    if (state.lastSeq > state.clearedSeq && !end) return;
    this.isAtEnd = true;
    const from = Math.max(this.shown.from, end?.from ?? 0, state.clearedSeq + 1, state.lastSeq - this.maxSize + 1);
    this.shown = { from, to: state.lastSeq };
  }

  private moveTo(range: Range, direction: "older" | "newer"): void {
    // Messages in between may have been removed while this page was loading.
    const kept = this.history?.rangeAt(direction === "older" ? range.from : range.to);
    if (!kept) return;
    if (direction === "older" && kept.to < range.to) {
      range.to = kept.to;
      this.isAtEnd = false;
    } else if (direction === "newer") range.from = Math.max(range.from, kept.from);
    const isTooLong = range.to - range.from + 1 > this.maxSize;
    if (isTooLong && direction === "older") {
      range.to = range.from + this.maxSize - 1;
      this.isAtEnd = false;
    } else if (isTooLong) range.from = range.to - this.maxSize + 1;
    this.shown = range;
    this.checkEnd();
    this.view.invalidate();
  }

  private checkEnd(): void {
    const state = this.source.state();
    if (state && this.shown && this.shown.to >= state.lastSeq) this.isAtEnd = true;
  }

  /** Loads are made one at a time: each begins where the one before has ended. */
  private async load(work: (state: ChatState, shown: Range) => Promise<void>): Promise<void> {
    while (this.loading !== undefined) await this.loading;
    const state = this.source.state();
    if (state && this.isUnopened && !this.isClosed) return this.openAround();
    if (!state || !this.shown || this.isClosed) return;
    const { history } = this;
    let failure: unknown;
    this.loading = work(state, this.shown)
      .catch((error) => {
        // If everything kept was discarded meanwhile, the timeline was opened anew.
        if (this.history === history) failure = error;
      })
      .finally(() => {
        this.loading = undefined;
      });
    await this.loading;
    if (failure !== undefined) throw toMessengerError(failure);
  }

  private compute(previous: TimelineValue | undefined): TimelineValue {
    const state = this.source.state();
    const unsent = this.source.unsent();
    const items = state && this.shown ? state.history.slice(this.shown) : [];
    const sent = items.map((item) => this.source.toMessage(item));
    // A message that was stored a moment ago is in both.
    const keys = new Set(sent.map(({ key }) => key));
    const own = this.isAtEnd ? unsent.filter(({ key }) => !keys.has(key)) : [];
    const messages = sameIfEqual(previous?.messages, [...sent, ...own]);
    const hasOlder = state !== undefined && this.shown !== undefined && this.shown.from > state.clearedSeq + 1;
    const hasNewer = !this.isAtEnd;
    const isSame = previous?.messages === messages && previous.hasOlder === hasOlder && previous.hasNewer === hasNewer;
    return isSame ? previous : { messages, hasOlder, hasNewer };
  }
}
