import { type Attention, attentionOf } from "./attention.ts";
import { MessengerError } from "./errors.ts";
import type { History, Range } from "./history.ts";
import { uuid } from "./ids.ts";
import { type Member, Members, memberOf } from "./members.ts";
import { countMentions, type MentionedPeople } from "./mentions.ts";
import { type Message, OutgoingMessage, sentMessage, unsentMessage } from "./message.ts";
import { Derived, type Observable } from "./observable.ts";
import { type Change, type Destination, type Entry, laneOf, type Outbox, type UnsentMessage } from "./outbox.ts";
import { isSamePerson, type People, peerOf } from "./people.ts";
import type { StatePatch } from "./personal-state.ts";
import { PinnedMessages } from "./pinned.ts";
import type {
  AssignableRole,
  ChatSettings,
  Draft,
  MemberRole,
  MessageItem,
  Person,
  Profile,
  ReactionRow,
  Reader,
  Requests,
} from "./protocol.ts";
import { type ChatState, pageSize, type Replica } from "./replica.ts";
import type { Json } from "./store.ts";
import { Timeline, type TimelineStart } from "./timeline.ts";
import { Typists } from "./typing.ts";
import type { FileToSend, UnsentFile, Uploads } from "./uploads.ts";

/** A chat in the list of chats. It does not change: a changed chat is another object. */
export interface ChatSummary extends Attention {
  /** Undefined while the server does not know the chat: until the first message of a dialog is sent. */
  readonly id: number | undefined;
  readonly kind: "dialog" | "group";
  /** The name of the group, or of the other user. */
  readonly title: string;
  /** The avatar of the group, or of the other user: see `messenger.avatarUrl`. Undefined without one. */
  readonly avatarId: string | undefined;
  /** The other user of a dialog. */
  readonly peer: Person | undefined;
  /** The user's own role in a group. */
  readonly role: MemberRole | undefined;
  /** The number of members of a group. */
  readonly memberCount: number | undefined;
  /** The number of messages after the read position. */
  readonly unread: number;
  /** How many of them mention the user, or everybody; at most 99. */
  readonly mentions: number;
  /** The position of the newest message that is sent. */
  readonly lastSeq: number;
  /** The newest message, sent or not. */
  readonly lastMessage: Message | undefined;
  /** What is counted and notified. */
  readonly level: NonNullable<ChatSettings["level"]>;
  /** The place among the pinned chats, which come first in the list; undefined if it is not pinned. */
  readonly pinned: number | undefined;
  /** The user has marked it as unread. */
  readonly markedUnread: boolean;
  /** The text that is not sent yet; empty if there is none. */
  readonly draft: string;
}

/** What a chat needs of the messenger. */
export interface ChatContext {
  readonly replica: Replica;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly people: People;
  me(): Profile | undefined;
  /** The value of a key of the personal state, with the changes that are not sent yet. */
  stateOf(key: string): Json | undefined;
  /** Changes fields of it. Rejects if the server refuses it. */
  changeState(key: string, patch: StatePatch): Promise<void>;
  /** Sends a request on the open connection. @throws MessengerError */
  request<T extends keyof Requests>(
    type: T,
    params: Requests[T]["params"],
  ): Promise<{ data: Requests[T]["data"]; item: Requests[T]["item"] }>;
  /** Sends a request, and repeats it while the server asks for that. @throws MessengerError */
  read<T extends keyof Requests>(
    type: T,
    params: Requests[T]["params"],
  ): Promise<{ data: Requests[T]["data"]; item: Requests[T]["item"] }>;
  /** Resolves after some seconds, unless the connection ends before. */
  pause(): Promise<void>;
}

/** How often `typing` is sent while the user types, in milliseconds. */
const typingIntervalMs = 2000;
const maxTimelineSize = 300;
const forEver = new Date("9999-12-31T23:59:59.999Z");
const maxRows = 100;

/** A chat: a dialog with one user, or a group. */
export class Chat {
  private readonly timelines = new Map<Timeline, () => void>();
  private readonly summaryState = new Derived<ChatSummary>((previous) => this.summarize(previous));
  private readonly readByState = new Derived<readonly { userId: number; seq: number }[]>((previous) =>
    this.computeReadBy(previous),
  );
  private readonly typing_ = new Typists();
  /** @internal */
  readonly memberList = new Members(
    () => this.loadMembers(),
    () => this.context.pause(),
  );
  private readonly pinnedMessages = new PinnedMessages(
    () => this.loadPinned(),
    () => this.context.pause(),
  );
  private readonly messages = new WeakMap<MessageItem, { name: Person | undefined; message: Message }>();
  private readonly unsentMessages = new WeakMap<
    Entry,
    { state: Entry["state"]; revision: number; message: Message | undefined }
  >();
  private lastTypedAt = Number.NEGATIVE_INFINITY;
  private clearedSeq = 0;
  private chatId: number | undefined;
  private otherId: number | undefined;

  /** @param of.peerId the other user of a dialog */
  constructor(
    private readonly context: ChatContext,
    of: { chatId: number } | { peerId: number },
  ) {
    if ("chatId" in of) this.chatId = of.chatId;
    else this.otherId = of.peerId;
  }

  /** The other user of a dialog; undefined for a group. */
  get peerId(): number | undefined {
    return this.otherId;
  }

  /** Undefined while the server does not know the chat: until the first message of a dialog is sent. */
  get id(): number | undefined {
    return this.chatId;
  }

  get kind(): "dialog" | "group" {
    return this.peerId === undefined ? "group" : "dialog";
  }

  /** The chat as the list of chats has it. */
  get summary(): Observable<ChatSummary> {
    return this.summaryState;
  }

  /** The ids of the users who are typing. */
  get typists(): Observable<readonly number[]> {
    return this.typing_.userIds;
  }

  /** The members, which are read from the server while there are subscribers. */
  get members(): Observable<readonly Member[]> {
    return this.memberList;
  }

  /** The pinned messages, the newest pin first, which are read from the server when there are subscribers. */
  get pinned(): Observable<readonly Message[]> {
    return this.pinnedMessages;
  }

  /** Up to where the other user of a dialog has read. Empty in groups, and where it is not shown: see `readers`. */
  get readBy(): Observable<readonly { userId: number; seq: number }[]> {
    return this.readByState;
  }

  /** Opens a view of the messages, which is kept up to date until it is closed. */
  timeline(options: { at?: TimelineStart; maxSize?: number } = {}): Timeline {
    const { at = "newest", maxSize = maxTimelineSize } = options;
    const timeline: Timeline = new Timeline(
      {
        state: () => this.state,
        readSeq: () => this.readSeq,
        toMessage: this.toMessage,
        unsent: () => this.unsent(),
        loadPage: (position) => this.loadPage(position),
        onClose: () => {
          this.timelines.get(timeline)?.();
          this.timelines.delete(timeline);
        },
      },
      at,
      Math.max(maxSize, 2 * pageSize),
    );
    this.timelines.set(timeline, () => {});
    this.bindTimeline(timeline);
    return timeline;
  }

  /**
   * Writes a message: stores it, shows it, and sends it as soon as there is a connection. Never throws.
   * @param options.replyTo the id of the message it replies to
   * @param options.files 1 to 10 files, such as those of `<input type="file">`: they are uploaded first, and the message follows
   * @param options.mentions the parts of the text that mean members
   * @param options.mentionsAll it means everybody in the group
   * @param options.clientMessageId identifies the message for ever: 8 to 64 printable ASCII characters, a new one by default
   */
  send(
    text: string,
    options: { replyTo?: number; clientMessageId?: string; files?: readonly FileToSend[] } & MentionedPeople = {},
  ): OutgoingMessage {
    const { clientMessageId, files = [], ...rest } = options;
    const message = { ...rest, content: text, ...(files.length > 0 && { files: files.map(unsentFile) }) };
    return this.write(message, clientMessageId, files);
  }

  /**
   * Forwards a message of any chat to this one: stores that, shows it, and sends it as soon as there is a connection.
   * @param options.clientMessageId as for `send`
   * @throws MessengerError if the message itself is not sent yet
   */
  forward(message: Message, options: { clientMessageId?: string } = {}): OutgoingMessage {
    const { messageId, text: content, forwarded, senderId, senderName } = message;
    if (messageId === undefined) throw new MessengerError("NOT_FOUND", "The message is not sent yet.");
    const of = { messageId, author: forwarded ?? { senderId, senderName } };
    return this.write({ content, forwardOf: of }, options.clientMessageId);
  }

  private write(
    message: Omit<UnsentMessage, "clientMessageId" | "to" | "writtenAt">,
    clientMessageId = uuid(),
    contents: readonly Blob[] = [],
  ): OutgoingMessage {
    const unsent = {
      clientMessageId,
      to: this.destination,
      ...message,
      writtenAt: Date.now(),
    };
    const entry = this.context.outbox.addMessage(unsent, contents);
    return new OutgoingMessage(entry, {
      retry: () => void this.context.outbox.retry(entry),
      discard: () => this.context.outbox.discard(entry),
      toMessage: this.toMessage,
    });
  }

  /** Replaces the text of an own message, and whom it mentions. @throws MessengerError if the server refuses it */
  edit(messageId: number, text: string, mentioned: MentionedPeople = {}): Promise<void> {
    return this.change({ type: "editMessage", params: { ...mentioned, messageId, content: text } });
  }

  /** Deletes a message for everybody. @throws MessengerError if the server refuses it */
  delete(messageId: number): Promise<void> {
    return this.change({ type: "deleteMessage", params: { messageId } });
  }

  /**
   * Reacts to a message with an emoji, or removes the reaction. @throws MessengerError if the server refuses it
   * @param emoji one emoji, such as `👍`
   */
  react(messageId: number, emoji: string, on: boolean): Promise<void> {
    return this.change({ type: "react", params: { messageId, emoji, on } });
  }

  /**
   * Pins a message, or removes its pin: in a group as its admin or owner. @throws MessengerError if the server refuses it
   */
  pin(messageId: number, on: boolean): Promise<void> {
    return this.change({ type: "pinMessage", params: { messageId, on } });
  }

  /**
   * Hides badge, sound and notifications of the chat, on all devices of the user.
   * @param until for ever by default; a past time ends it. @throws MessengerError if the server refuses it
   */
  mute(until = forEver): Promise<void> {
    const mutedUntil = until > new Date() ? until.toISOString() : null;
    // A chat that has come back from the archive would be archived again.
    return this.changeSettings({ mutedUntil, ...(!this.summary.value.archived && { archivedSeq: null }) });
  }

  /** What is counted and notified: all messages, mentions only, or nothing. @throws MessengerError */
  setLevel(level: NonNullable<ChatSettings["level"]>): Promise<void> {
    return this.changeSettings({ level: level === "all" ? null : level });
  }

  /** Archives the chat until its next message, or for as long as it is muted; or brings it back. @throws MessengerError */
  archive(on = true): Promise<void> {
    return this.changeSettings({ archivedSeq: on ? (this.state?.lastSeq ?? 0) : null });
  }

  /** Shows the chat above others, below those pinned before. @throws MessengerError */
  setPinned(on: boolean): Promise<void> {
    return this.changeSettings({ pinned: on ? Date.now() : null });
  }

  /** Marks the chat as unread, or removes the mark. `markRead` removes it too. @throws MessengerError */
  markUnread(on = true): Promise<void> {
    return this.changeSettings({ markedUnread: on || null });
  }

  /** What the user was writing, on whatever device. */
  get draft(): Draft | undefined {
    return this.stateOf<Draft>("draft");
  }

  /**
   * Keeps a text that is not sent yet, on all devices of the user; the newest one wins. Before the first message of a
   * dialog, the server cannot keep it. @throws MessengerError if the server refuses it
   */
  async setDraft(text: string, options: { replyTo?: number | undefined } = {}): Promise<void> {
    if (this.chatId === undefined) return;
    const patch = text
      ? { text, replyTo: options.replyTo ?? null, updatedAt: new Date().toISOString() }
      : { text: null, replyTo: null, updatedAt: null };
    if (text || this.draft) await this.context.changeState(`draft:${this.chatId}`, patch);
  }

  /** Marks the chat as read up to a `seq`, by default up to its newest message. */
  markRead(seq?: number): void {
    const { state } = this;
    if (this.settings.markedUnread) void this.markUnread(false).catch(() => {});
    const upTo = Math.min(seq ?? Number.MAX_SAFE_INTEGER, state?.lastSeq ?? 0);
    if (!state || upTo <= this.readSeq) return;
    void this.change({ type: "markRead", params: { chatId: state.chatId, seq: upTo } }).catch(() => {});
    this.update();
  }

  /** Hides all messages of a dialog so far, for this user only. @throws MessengerError if the server refuses it */
  async clear(): Promise<void> {
    if (this.peerId === undefined) throw new MessengerError("FORBIDDEN", "Only dialogs can be cleared.");
    await this.change({ type: "clearDialog", params: { receiverId: this.peerId } });
  }

  /** Shows the other members that this user is typing. May be called at each key. */
  typing(): void {
    const now = performance.now();
    if (this.chatId === undefined || now - this.lastTypedAt < typingIntervalMs) return;
    this.lastTypedAt = now;
    // Best-effort.
    this.context.request("typing", { chatId: this.chatId }).catch(() => {});
  }

  /** The members who have read a message. @throws MessengerError */
  async readers(messageId: number): Promise<readonly Reader[]> {
    return allPages((page) => this.context.read("listReaders", { messageId, limit: maxRows, page }));
  }

  /** Who reacts to a message, the earliest first. @throws MessengerError */
  async reactions(messageId: number): Promise<readonly ReactionRow[]> {
    return allPages((page) => this.context.read("listReactions", { messageId, limit: maxRows, page }));
  }

  /** Renames the group. @throws MessengerError */
  async rename(name: string): Promise<void> {
    await this.context.read("renameGroup", { groupId: this.groupId, groupName: name });
  }

  /** Adds a user to the group. @throws MessengerError */
  async add(userId: number): Promise<void> {
    await this.context.request("addUserInGroup", { groupId: this.groupId, userId });
  }

  /** Removes a user from the group. @throws MessengerError */
  async remove(userId: number): Promise<void> {
    await this.context.request("removeUserFromGroup", { groupId: this.groupId, userId });
  }

  /** Makes a member an admin, or an admin a member. @throws MessengerError */
  async setRole(userId: number, role: AssignableRole): Promise<void> {
    await this.context.request("setMemberRole", { groupId: this.groupId, userId, role });
  }

  /** Makes another member the owner. @throws MessengerError */
  async transferOwnership(userId: number): Promise<void> {
    await this.context.request("transferOwnership", { groupId: this.groupId, userId });
  }

  /** Leaves the group. @throws MessengerError */
  async leave(): Promise<void> {
    await this.context.request("leaveGroup", { groupId: this.groupId });
  }

  /** Deletes the group with its history, for all members. @throws MessengerError */
  async deleteGroup(): Promise<void> {
    await this.context.request("deleteGroup", { groupId: this.groupId });
  }

  /** @internal The state in the replica. */
  get state(): ChatState | undefined {
    return this.chatId === undefined ? undefined : this.context.replica.chats.get(this.chatId);
  }

  /** @internal Until when it is muted, in milliseconds since 1970. */
  get mutedUntil(): number {
    return Date.parse(this.settings.mutedUntil ?? "") || 0;
  }

  /** @internal Notes what the server knows of the chat: its id, and whose dialog it is. */
  bind({ chatId, userId }: ChatState): void {
    this.otherId = userId;
    if (this.chatId !== chatId) this.setId(chatId);
  }

  /** @internal Notes that the id is not that of this dialog any more. */
  unbind(): void {
    this.setId(undefined);
    this.update();
  }

  /** @internal Is called when the state, the unsent messages or a name has changed. */
  update(): void {
    const { clearedSeq = 0 } = this.state ?? {};
    if (clearedSeq > this.clearedSeq) this.invalidatePinned();
    this.clearedSeq = clearedSeq;
    this.summaryState.invalidate();
    this.readByState.invalidate();
    for (const timeline of this.timelines.keys()) timeline.update();
  }

  /** @internal Is called with each change of a message. */
  applyChange(item: MessageItem, isNew: boolean): void {
    const { senderId, event } = item;
    if (isNew) this.typing_.remove(senderId);
    if (event && event.kind !== "groupRenamed") this.memberList.invalidate();
    this.pinnedMessages.apply(this.toMessage(item));
  }

  /** @internal Is called when more may have changed than was received. */
  invalidatePinned(): void {
    this.pinnedMessages.invalidate();
  }

  /** @internal */
  get typingUsers(): Typists {
    return this.typing_;
  }

  /** @internal Is called on a new connection. */
  resume(): void {
    for (const timeline of this.timelines.keys()) timeline.resume();
    // Names and avatars may have changed too.
    this.memberList.invalidate();
    this.pinnedMessages.refresh();
  }

  /** @internal The ids of the senders of the messages that are shown. */
  shownSenders(): number[] {
    const { state } = this;
    return [...this.timelines.keys()].flatMap(({ window }) =>
      state && window ? state.history.slice(window).map(({ senderId }) => senderId) : [],
    );
  }

  /** @internal Where its messages are sent. */
  get destination(): Destination {
    return this.peerId === undefined ? { groupId: this.groupId } : { receiverId: this.peerId };
  }

  /** @internal Whether it belongs into the list of chats. */
  get isListed(): boolean {
    const { state } = this;
    if (this.unsent().length > 0) return true;
    return state !== undefined && (state.kind === "group" || state.lastSeq > state.clearedSeq);
  }

  /** @internal The message for an item; the same object while nothing has changed. */
  readonly toMessage = (item: MessageItem): Message => {
    const name = this.context.people.get(item.senderId);
    const cached = this.messages.get(item);
    if (cached?.name === name && cached) return cached.message;
    const message = sentMessage(item, this.context.me()?.id, name);
    this.messages.set(item, { name, message });
    return message;
  };

  private get groupId(): number {
    if (this.chatId === undefined || this.peerId !== undefined)
      throw new MessengerError("FORBIDDEN", "This is not a group.");
    return this.chatId;
  }

  /** The read position, with those that are not sent yet. */
  private get readSeq(): number {
    const { state } = this;
    if (!state) return 0;
    const unsent = this.context.outbox.all.flatMap(({ content }) =>
      "change" in content && content.change.type === "markRead" && content.change.params.chatId === state.chatId
        ? content.change.params.seq
        : [],
    );
    return Math.max(state.readSeq, ...unsent);
  }

  private get settings(): ChatSettings {
    return this.stateOf<ChatSettings>("chat") ?? {};
  }

  private stateOf<T>(kind: string): T | undefined {
    return this.context.stateOf(`${kind}:${this.chatId}`) as T | undefined;
  }

  private async changeSettings(patch: StatePatch): Promise<void> {
    if (this.chatId === undefined) throw new MessengerError("NOT_MEMBER", "This chat has no message yet.");
    await this.context.changeState(`chat:${this.chatId}`, patch);
  }

  private async change(change: Change): Promise<void> {
    const entry = this.context.outbox.addChange(change);
    await entry.sending.promise;
  }

  private setId(chatId: number | undefined): void {
    this.chatId = chatId;
    this.invalidatePinned();
    for (const timeline of this.timelines.keys()) this.bindTimeline(timeline);
  }

  private bindTimeline(timeline: Timeline): void {
    this.timelines.get(timeline)?.();
    const release = this.chatId === undefined ? () => {} : this.context.replica.keepShown(this.chatId, timeline);
    this.timelines.set(timeline, release);
  }

  private unsent(): Message[] {
    const me = this.context.me();
    if (!me || (this.peerId === undefined && this.chatId === undefined)) return [];
    return this.context.outbox.messagesOf(laneOf(this.destination)).flatMap((entry) => {
      // Another tab has sent it, and the store still has it.
      if (entry.message && this.state?.history.hasSent(me.id, entry.message.clientMessageId)) return [];
      const cached = this.unsentMessages.get(entry);
      if (cached?.state === entry.state && cached.revision === entry.revision) return cached.message ?? [];
      const message = unsentMessage(
        entry,
        me,
        {
          retry: () => void this.context.outbox.retry(entry),
          discard: () => void this.context.outbox.discard(entry),
        },
        this.context.uploads,
      );
      this.unsentMessages.set(entry, { state: entry.state, revision: entry.revision, message });
      return message ?? [];
    });
  }

  private async loadPage(
    position: { before: number } | { after: number } | { around: number },
  ): Promise<Range | undefined> {
    const { state } = this;
    if (!state) return undefined;
    const { history } = state;
    const endLoad = history.beginLoad();
    try {
      const { data, item } = await this.context.read("getMessages", {
        chatId: state.chatId,
        limit: pageSize,
        ...position,
      });
      const current = this.state;
      // Everything kept was discarded meanwhile, so this belongs to an older state.
      if (current?.history !== history) return undefined;
      const range = rangeOf(position, data, item.hasMore, current.clearedSeq + 1);
      if (!range) return undefined;
      this.context.replica.insertPage(current, data, range);
      return keptPart(history, range);
    } finally {
      endLoad();
    }
  }

  private async loadPinned(): Promise<readonly Message[]> {
    const { chatId } = this;
    if (chatId === undefined) return [];
    const items = await allPages((page) => this.context.read("listPinned", { chatId, limit: maxRows, page }));
    return items.map(this.toMessage);
  }

  private async loadMembers(): Promise<readonly Member[]> {
    const me = this.context.me();
    if (this.peerId === undefined) {
      const { groupId } = this;
      return allPages((page) => this.context.read("listGroupMembers", { groupId, limit: maxRows, page }));
    }
    const peer = this.context.people.get(this.peerId) ?? (await this.context.people.load([this.peerId]))[0];
    return [me, peer].flatMap((person) => (person ? memberOf(person) : []));
  }

  private summarize(previous: ChatSummary | undefined): ChatSummary {
    const { state, peerId } = this;
    const last = state && state.lastSeq > state.clearedSeq ? state.history.get(state.lastSeq) : undefined;
    const peer = peerId === undefined ? undefined : this.peer(peerId, state);
    const unread = state ? Math.max(0, state.lastSeq - this.readSeq) : 0;
    const mentions = state ? this.unreadMentions(state) : 0;
    const { settings } = this;
    const { lastSeq = 0 } = state ?? {};
    const summary: ChatSummary = {
      id: this.chatId,
      kind: this.kind,
      title: peer ? nameOf(peer) : (state?.groupName ?? ""),
      avatarId: (peer ?? state)?.avatarId,
      peer: previous?.peer && peer && isSamePerson(previous.peer, peer) ? previous.peer : peer,
      role: state?.role,
      memberCount: state?.memberCount,
      unread,
      mentions,
      lastSeq,
      lastMessage: this.unsent().at(-1) ?? (last && this.toMessage(last)),
      ...attentionOf(settings, { lastSeq, unread, mentions }, Date.now()),
      level: settings.level ?? "all",
      pinned: settings.pinned,
      markedUnread: settings.markedUnread ?? false,
      draft: this.draft?.text ?? "",
    };
    return previous && isShallowEqual(previous, summary) ? previous : summary;
  }

  /** Also after a read position that is not sent yet. */
  private unreadMentions(state: ChatState): number {
    const { readSeq } = this;
    if (state.mentions === 0 || readSeq === state.readSeq) return state.mentions;
    return countMentions(state, readSeq, this.context.me()?.id) ?? state.mentions;
  }

  private peer(peerId: number, state: ChatState | undefined): Person {
    return this.context.people.get(peerId) ?? peerOf(state ?? {}, peerId);
  }

  private computeReadBy(
    previous: readonly { userId: number; seq: number }[] | undefined,
  ): readonly { userId: number; seq: number }[] {
    const { peerId } = this;
    const seq = this.state?.peerReadSeq;
    const next = peerId === undefined || seq === undefined ? [] : [{ userId: peerId, seq }];
    const isSame = previous?.length === next.length && previous[0]?.seq === next[0]?.seq;
    return previous && isSame ? previous : next;
  }
}

const unsentFile = ({ name = "file", size, type }: FileToSend): UnsentFile => ({
  key: uuid(),
  name,
  size,
  mediaType: type,
});

/** The range that a page covers completely. */
function rangeOf(
  position: { before: number } | { after: number } | { around: number },
  data: readonly MessageItem[],
  hasMore: boolean,
  firstSeq: number,
): Range | undefined {
  const [first, last] = [data[0], data.at(-1)];
  if ("before" in position) {
    const from = hasMore ? first?.seq : firstSeq;
    return from === undefined ? undefined : { from, to: position.before - 1 };
  }
  if (!first || !last) return undefined;
  return "after" in position ? { from: position.after + 1, to: last.seq } : { from: first.seq, to: last.seq };
}

/** The part of a range that is kept. */
function keptPart(history: History, { from, to }: Range): Range | undefined {
  const kept = history.allRanges.find((range) => range.from <= to && from <= range.to);
  return kept && { from: Math.max(from, kept.from), to: Math.min(to, kept.to) };
}

/** Reads all pages of a list. */
async function allPages<Row>(read: (page: number) => Promise<{ data: readonly Row[] }>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let page = 1; ; page++) {
    const { data } = await read(page);
    rows.push(...data);
    if (data.length < maxRows) return rows;
  }
}

const nameOf = ({ firstName, lastName }: Person): string => (lastName ? `${firstName} ${lastName}` : firstName);

const isShallowEqual = <T extends object>(a: T, b: T): boolean =>
  (Object.keys(a) as (keyof T)[]).every((key) => Object.is(a[key], b[key]));
