import { Backoff, wait } from "./backoff.ts";
import { Chat, type ChatContext, type ChatSummary } from "./chat.ts";
import { MessengerError, toMessengerError } from "./errors.ts";
import { EventStream, type MessengerEvent } from "./events.ts";
import { FileLinks } from "./file-links.ts";
import type { Http } from "./http.ts";
import { uuid } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Message } from "./message.ts";
import { type HandleMessage, MessageHandler } from "./message-handler.ts";
import { call, Derived, type Observable, sameIfEqual } from "./observable.ts";
import { type Destination, type Entry, Outbox } from "./outbox.ts";
import { isSamePerson, People } from "./people.ts";
import { Persistence } from "./persistence.ts";
import { patched, type StatePatch } from "./personal-state.ts";
import { PresenceWatcher } from "./presence.ts";
import type { MessageItem, Person, Presence, Profile, ProfileChange, Requests, TypingSignal } from "./protocol.ts";
import { type ChatState, Replica } from "./replica.ts";
import type { MessageHits, SearchOptions } from "./search.ts";
import type { Json, StorePart } from "./store.ts";
import { Synchronizer, untilAnswered } from "./synchronizer.ts";
import { type Answer, type Frame, offlineError, type Transport } from "./transport.ts";
import { Uploads } from "./uploads.ts";

/** A page of the messages that mention the user, the newest first. */
export interface MentionList {
  readonly mentions: readonly { readonly chat: Chat; readonly message: Message }[];
  /** `before` of the next page; null after the last one. */
  readonly cursor: number | null;
}

/** The most people whose names are read anew after an absence. */
const maxRefreshedNames = 500;

/** Until a list is read again that could not be read, in milliseconds. */
const pauseMs = 5000;
/** The longest delay of a timer. */
const maxTimerMs = 2 ** 31 - 1;

/** Everything that belongs to one logged-in user: chats, unsent messages, people. */
export class Account implements ChatContext {
  readonly replica: Replica;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly files: FileLinks;
  readonly people: People;
  readonly presence = new PresenceWatcher();
  private readonly persistence: Persistence;
  private readonly synchronizer: Synchronizer;
  private readonly byId = new Map<number, Chat>();
  private readonly byPeer = new Map<number, Chat>();
  private readonly list = new Derived<readonly ChatSummary[]>((previous) => sameIfEqual(previous, this.listChats()));
  private readonly streams = new Set<EventStream>();
  private readonly messageListeners = new Set<(event: MessengerEvent) => void>();
  private readonly handlers = new Set<MessageHandler>();
  private transport: Transport | undefined;
  private readonly preferenceState = new Derived<Json | undefined>((previous) => {
    const next = this.stateOf("preferences");
    return JSON.stringify(next) === JSON.stringify(previous) ? previous : next;
  });
  private unmuteTimer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;
  private isFirstConnection = true;

  constructor(
    private readonly options: {
      profile: Profile;
      store: StorePart;
      http: Http;
      log: Log;
      token(): Promise<string>;
      onStoreFailure(error: unknown): void;
      onProfile(profile: Profile): void;
    },
  ) {
    const { store, http, token, onStoreFailure } = options;
    this.replica = new Replica({
      onGap: (chatId) => {
        if (this.transport) this.synchronizer.closeGap(chatId, this.transport);
      },
      onItem: (item) => this.noteItem(item),
      onEntry: (entry) => this.people.notePeer(entry),
      onChange: (chat, item, isNew) => this.noteChange(chat, item, isNew),
      onJoined: (chat, messages) => {
        this.emitOfChat("joined", chat.chatId);
        // At the first start on a device, all chats are new.
        if (!this.isFirstConnection) for (const item of messages) this.noteChange(chat, item, true);
      },
      onLeft: (chatId) => this.emitOfChat("left", chatId),
      onReset: ({ chatId }) => this.emitOfChat("reset", chatId),
      onUpdate: (chatId, chat) => this.noteUpdate(chatId, chat),
      onEpoch: (epoch) => {
        this.persistence.noteEpoch(epoch);
        this.outbox.noteEpoch();
      },
      onStateChange: () => this.noteStateChange(),
    });
    this.replica.userId = options.profile.id;
    this.people = new People({ http, token, onUpdate: () => this.updateAll() });
    this.uploads = new Uploads({ store, http, token });
    this.files = new FileLinks({ http, baseUrl: http.baseUrl, token });
    this.outbox = new Outbox({
      store,
      uploads: this.uploads,
      onUpdate: (entry) => this.noteUnsent(entry),
      patchedState: (key, patch) => patched(this.replica.state.keys.get(key), patch),
      onStoreFailure,
    });
    this.persistence = new Persistence({ store, replica: this.replica, onFailure: onStoreFailure });
    this.synchronizer = new Synchronizer(this.replica);
  }

  get chats(): Observable<readonly ChatSummary[]> {
    return this.list;
  }

  get preferences(): Observable<Json | undefined> {
    return this.preferenceState;
  }

  me(): Profile {
    return this.options.profile;
  }

  /** Reads what the store has. Chats that it cannot give are read from the server. */
  async load(): Promise<void> {
    try {
      await this.persistence.load();
    } catch (error) {
      this.options.onStoreFailure(error);
    }
    await this.outbox.load();
    this.isFirstConnection = this.replica.chats.size === 0;
  }

  /** Brings everything up to date on a new connection. @throws MessengerError */
  async sync(transport: Transport): Promise<void> {
    this.replica.beginConnection();
    this.transport = transport;
    await this.synchronizer.syncAll(transport);
  }

  /** Begins to send. */
  begin(transport: Transport): void {
    this.outbox.begin((type, params) => transport.request(type, params));
    this.presence.begin((change) => transport.request("watchPresence", change).then(({ data }) => data));
    for (const chat of this.allChats()) chat.resume();
    for (const handler of this.handlers) for (const chatId of this.replica.chats.keys()) handler.note(chatId);
    if (!this.isFirstConnection) void this.refreshNames(transport);
    this.isFirstConnection = false;
  }

  /** The connection is lost. */
  end(): void {
    this.transport = undefined;
    this.replica.beginConnection();
    this.outbox.end();
    this.presence.end();
    for (const chat of this.allChats()) chat.typingUsers.clear();
  }

  /** Applies a frame. */
  receive({ type, params: { item } }: Frame): void {
    if (!item) return;
    if (type === "typing") {
      const signal = item as TypingSignal;
      this.byId.get(signal.chatId)?.typingUsers.apply(signal);
    } else if (type === "presence") this.presence.apply(item as Presence);
    else if (type === "profile") this.noteProfile(item as ProfileChange);
    else this.replica.applyFrame(type, item);
  }

  async request<T extends keyof Requests>(type: T, params: Requests[T]["params"]): Promise<Answer<T>> {
    if (!this.transport) throw offlineError();
    return this.transport.request(type, params);
  }

  read<T extends keyof Requests>(type: T, params: Requests[T]["params"]): Promise<Answer<T>> {
    return untilAnswered(
      () => this.request(type, params),
      () => this.transport?.closed,
    );
  }

  pause(): Promise<void> {
    const { transport } = this;
    return new Promise((resolve) => {
      if (!transport) return;
      const timer = setTimeout(resolve, pauseMs);
      void transport.closed.then(() => clearTimeout(timer));
    });
  }

  chat(chatId: number): Chat {
    const known = this.byId.get(chatId);
    if (known) return known;
    const chat = new Chat(this, { chatId });
    this.byId.set(chatId, chat);
    return chat;
  }

  dialogWith(peerId: number): Chat {
    const known = this.byPeer.get(peerId);
    if (known) return known;
    const chat = new Chat(this, { peerId });
    this.byPeer.set(peerId, chat);
    return chat;
  }

  async createGroup({ name, userIds }: { name: string; userIds: readonly number[] }): Promise<Chat> {
    const clientMessageId = uuid();
    const { item } = await this.read("newGroup", { groupName: name, clientMessageId });
    for (const userId of userIds) {
      await this.read("addUserInGroup", { groupId: item.chatId, userId }).catch((error) => {
        // An answer was lost.
        if (toMessengerError(error).code !== "CONFLICT") throw error;
      });
    }
    return this.chat(item.chatId);
  }

  async search(query: string, options: SearchOptions): Promise<MessageHits> {
    const { data, item } = await this.read("searchMessages", { query, limit: 20, ...options });
    const hits = data.map(({ highlights, ...found }) => {
      this.people.noteSender(found);
      const chat = this.chat(found.chatId);
      return { chat, message: chat.toMessage(found), highlights };
    });
    return { ...item, hits };
  }

  async mentions(page: Requests["listMentions"]["params"]): Promise<MentionList> {
    const { data, item } = await this.read("listMentions", page);
    const mentions = data.map((found) => {
      this.people.noteSender(found);
      const chat = this.chat(found.chatId);
      return { chat, message: chat.toMessage(found) };
    });
    return { mentions, cursor: item.cursor };
  }

  events(signal?: AbortSignal): EventStream {
    const stream = new EventStream((ended) => this.streams.delete(ended));
    this.streams.add(stream);
    signal?.addEventListener("abort", () => stream.end(), { once: true });
    if (signal?.aborted) stream.end();
    return stream;
  }

  onMessage(listener: (event: MessengerEvent) => void): () => void {
    this.messageListeners.add(listener);
    return () => this.messageListeners.delete(listener);
  }

  handle(name: string, work: HandleMessage): () => void {
    const handler = new MessageHandler(name, work, {
      store: this.options.store,
      log: this.options.log,
      onStoreFailure: this.options.onStoreFailure,
      isLive: () => this.transport !== undefined,
      chat: (chatId) => this.byId.get(chatId),
      readAfter: async (chatId, after, limit) => (await this.read("getMessages", { chatId, after, limit })).data,
    });
    this.handlers.add(handler);
    if (this.transport) for (const chatId of this.replica.chats.keys()) handler.note(chatId);
    return () => {
      handler.end();
      this.handlers.delete(handler);
    };
  }

  setProfile(profile: Profile): void {
    this.options.profile = profile;
    this.options.onProfile(profile);
  }

  /** The value of a key of the personal state, with the changes that are not sent yet. */
  stateOf(key: string): Json | undefined {
    let value = this.replica.state.keys.get(key);
    for (const { content } of this.outbox.all) {
      if (!("change" in content) || content.change.type !== "setState" || content.change.params.key !== key) continue;
      value = patched(value, content.change.params.patch) ?? undefined;
    }
    return value;
  }

  async changeState(key: string, patch: StatePatch): Promise<void> {
    await this.outbox.addChange({ type: "setState", params: { key, patch } }).sending.promise;
  }

  /** Whether messages are not sent. */
  get hasUnsent(): boolean {
    return this.outbox.all.some(({ message }) => message);
  }

  /** Stores what is not stored yet, and ends everything. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.end();
    clearTimeout(this.unmuteTimer);
    for (const handler of this.handlers) handler.end();
    for (const stream of [...this.streams]) stream.end();
    await this.persistence.save();
  }

  /** Removes the chats from memory and store. Unsent messages stay in the store. */
  async wipe(): Promise<void> {
    this.replica.clear();
    this.outbox.clear();
    await this.persistence.wipe();
  }

  private noteItem(item: MessageItem): void {
    this.people.noteSender(item);
    if (item.senderId !== this.me().id || item.clientMessageId === undefined) return;
    this.outbox.confirm(item);
    const chat = this.replica.chats.get(item.chatId);
    if (chat) this.outbox.noteArrived(chat.chatId, chat.lastSeq);
  }

  private noteChange({ chatId }: ChatState, item: MessageItem, isNew: boolean): void {
    const chat = this.chat(chatId);
    chat.applyChange(item, isNew);
    const type = isNew ? "message" : (item.change?.kind ?? "change");
    this.emit({ type, chat, message: chat.toMessage(item) });
    if (isNew) for (const handler of this.handlers) handler.note(chatId);
  }

  private noteUpdate(chatId: number, state: ChatState | undefined): void {
    this.outbox.noteArrived(chatId, state ? state.lastSeq : Number.MAX_SAFE_INTEGER);
    if (state) this.handleFor(state).update();
    else this.byId.get(chatId)?.update();
    this.persistence.noteChange(chatId);
    this.list.invalidate();
  }

  /** The handle of a chat: a dialog may have been opened before the server knew it. */
  private handleFor(state: ChatState): Chat {
    const { chatId, userId } = state;
    const byId = this.byId.get(chatId);
    // After a restore of the server's data, the id may be that of another chat.
    if (byId?.id === chatId && byId.peerId !== undefined && byId.peerId !== userId) byId.unbind();
    const known = byId?.peerId === undefined ? byId : undefined;
    const byPeer = userId === undefined ? undefined : this.byPeer.get(userId);
    const chat = byPeer ?? known ?? new Chat(this, { chatId });
    this.byId.set(chatId, chat);
    if (userId !== undefined) this.byPeer.set(userId, chat);
    chat.bind(state);
    return chat;
  }

  private noteProfile({ userId: id, ...names }: ProfileChange): void {
    const person = { id, ...names };
    this.people.note(person);
    for (const chat of this.allChats()) chat.memberList.apply(person);
    this.noteOwn(person);
  }

  /** Applies the user's own name and avatar to the profile. */
  private noteOwn(person: Person): void {
    const { avatarId: _, ...me } = this.me();
    if (person.id === me.id && !isSamePerson(person, this.me())) this.setProfile({ ...me, ...person });
  }

  private emitOfChat(type: "joined" | "left" | "reset", chatId: number): void {
    const state = this.replica.chats.get(chatId);
    const chat = state ? this.handleFor(state) : this.chat(chatId);
    chat.invalidatePinned();
    this.emit({ type, chat });
    if (state) for (const handler of this.handlers) handler.note(chatId);
  }

  private emit(event: MessengerEvent): void {
    for (const stream of this.streams) stream.push(event);
    if (event.type === "message") for (const listener of [...this.messageListeners]) call(listener, event);
  }

  private chatAt(to: Destination): Chat {
    return "groupId" in to ? this.chat(to.groupId) : this.dialogWith(to.receiverId);
  }

  /** Updates the chat that shows an entry of the outbox: a message, or a read position. */
  private noteUnsent({ content }: Entry): void {
    if ("message" in content) this.chatAt(content.message.to).update();
    else if (content.change.type === "markRead") this.byId.get(content.change.params.chatId)?.update();
    else if (content.change.type === "setState") this.updateState();
    this.list.invalidate();
  }

  private noteStateChange(): void {
    this.persistence.noteStateChange();
    this.updateState();
  }

  private updateState(): void {
    this.preferenceState.invalidate();
    this.updateAll();
    clearTimeout(this.unmuteTimer);
    const ends = [...this.allChats()].flatMap(({ mutedUntil }) => (mutedUntil > Date.now() ? mutedUntil : []));
    if (ends.length === 0 || this.isClosed) return;
    this.unmuteTimer = setTimeout(() => this.updateState(), Math.min(Math.min(...ends) - Date.now(), maxTimerMs));
  }

  private allChats(): Set<Chat> {
    return new Set([...this.byId.values(), ...this.byPeer.values()]);
  }

  private updateAll(): void {
    for (const chat of this.allChats()) chat.update();
    this.list.invalidate();
  }

  private listChats(): ChatSummary[] {
    const isUnsent = ({ lastMessage }: ChatSummary) => lastMessage !== undefined && lastMessage.state !== "sent";
    // Those to which only unsent messages belong, such as a dialog without a first message.
    for (const { message } of this.outbox.all) {
      if (message) this.chatAt(message.to);
    }
    return [...this.allChats()]
      .filter((chat) => chat.isListed)
      .map(({ summary }) => summary.value)
      .sort((a, b) => {
        if (a.pinned !== b.pinned)
          return (a.pinned ?? Number.POSITIVE_INFINITY) - (b.pinned ?? Number.POSITIVE_INFINITY);
        if (isUnsent(a) !== isUnsent(b)) return isUnsent(a) ? -1 : 1;
        const [timeA, timeB] = [a.lastMessage?.createdAt ?? "", b.lastMessage?.createdAt ?? ""];
        if (timeA !== timeB) return timeA < timeB ? 1 : -1;
        return (b.id ?? 0) - (a.id ?? 0);
      });
  }

  /** Names and avatars that were changed during an absence were not pushed. */
  private async refreshNames(transport: Transport): Promise<void> {
    const ids = new Set([this.me().id]);
    for (const { peer } of this.list.value) if (peer) ids.add(peer.id);
    for (const chat of this.allChats()) for (const id of chat.shownSenders()) ids.add(id);
    for (const id of this.people.avatars.keys()) ids.add(id);
    for (const { history } of this.replica.chats.values()) for (const id of history.senders()) ids.add(id);
    const backoff = new Backoff();
    while (this.transport === transport) {
      try {
        for (const person of await this.people.load([...ids].slice(0, maxRefreshedNames))) this.noteOwn(person);
        return;
      } catch (error) {
        const { code, retryable, retryAfterMs = 1000 + backoff.next() } = toMessengerError(error);
        this.options.log.debug(`names are not refreshed: ${code}`);
        if (!retryable) return;
        await wait(retryAfterMs, transport.closed);
      }
    }
  }
}

export const loggedOutError = (): MessengerError => new MessengerError("LOGGED_OUT", "Nobody is logged in.");
