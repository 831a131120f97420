import { Account, loggedOutError, type MentionList } from "./account.ts";
import type { Chat, ChatSummary } from "./chat.ts";
import { Connection, type ConnectionStatus, type EndReason } from "./connection.ts";
import { MessengerError, toMessengerError } from "./errors.ts";
import type { MessengerEvent } from "./events.ts";
import type { FileLinks } from "./file-links.ts";
import { defaultFetch, type Fetch, Http } from "./http.ts";
import { type Log, silentLog } from "./log.ts";
import type { Message } from "./message.ts";
import type { HandleMessage } from "./message-handler.ts";
import { type Observable, State } from "./observable.ts";
import type { People } from "./people.ts";
import type { StatePatch } from "./personal-state.ts";
import type { PersonPresence } from "./presence.ts";
import type {
  InviteDescription,
  PatchUsersMeBody,
  PostAuthLoginBody,
  PostAuthRegisterBody,
  PostAuthSetupBody,
  Profile,
  Requests,
  ServerInfo,
  Session,
} from "./protocol.ts";
import type { MessageHits, SearchOptions } from "./search.ts";
import { Sessions } from "./session.ts";
import { type Json, memory, type Store, StorePart } from "./store.ts";
import { type Answer, offlineError, type WebSocketClass } from "./transport.ts";

export interface MessengerOptions {
  /** The address of the server, such as `https://chat.example.org`. */
  url: string;
  /** Where the session, unsent messages and chats are kept: `memory()` by default. */
  store?: Store;
  /** Needed before Node 22: the `WebSocket` of the package `ws`. */
  WebSocket?: WebSocketClass;
  fetch?: Fetch;
  log?: Log;
}

/** Whether the store works. If it has failed, what is written is kept in memory only. */
export interface StorageStatus {
  readonly state: "working" | "failed";
  readonly reason?: string;
}

/** A client of one server, for one user at a time. */
export class Messenger {
  /** What the server says about itself; undefined until the first connection, or until `resume` has found no session. */
  readonly info: Observable<ServerInfo | undefined>;
  /** The logged-in user. */
  readonly user: Observable<Profile | undefined>;
  readonly storage: Observable<StorageStatus>;
  private readonly infoState = new State<ServerInfo | undefined>(undefined);
  private readonly userState = new State<Profile | undefined>(undefined);
  private readonly storageState = new State<StorageStatus>({ state: "working" });
  private readonly chatList = new State<readonly ChatSummary[]>([]);
  private readonly preferenceState = new State<Json | undefined>(undefined);
  private readonly http: Http;
  private readonly store: StorePart;
  private readonly log: Log;
  private readonly sessions: Sessions;
  private readonly link: Connection;
  private account: Account | undefined;
  /** The last one that was read from the store. */
  private opening: Account | undefined;
  private isClosed = false;
  private unsubscribe: () => void = () => {};

  constructor(private readonly options: MessengerOptions) {
    const { store = memory(), log = silentLog, WebSocket = defaultWebSocket(), fetch = defaultFetch } = options;
    const url = options.url.replace(/\/+$/, "");
    this.log = log;
    this.http = new Http(url, fetch);
    this.store = new StorePart(store, `${url} `);
    this.info = this.infoState;
    this.user = this.userState;
    this.storage = this.storageState;
    this.sessions = new Sessions({
      http: this.http,
      store: this.store,
      onStoreFailure: (error) => this.noteStoreFailure(error),
      onRenewed: ({ token, user }) => {
        this.account?.setProfile(user);
        this.link.open?.request("authenticate", { token }).catch((error) => {
          log.warn(`the open connection was not renewed: ${toMessengerError(error).code}`);
        });
      },
    });
    this.link = new Connection({
      url: `${url.replace(/^http/, "ws")}/`,
      WebSocket,
      log,
      token: () => this.token(),
      renew: () => this.sessions.renew(),
      isAccepted: (token) => this.isAccepted(token),
      sync: async (transport) => this.account?.sync(transport),
      onConnecting: () => void this.readInfo(),
      onFrame: (frame) => this.account?.receive(frame),
      onLive: (transport) => this.account?.begin(transport),
      onLost: () => this.account?.end(),
      onEnded: (reason) => void this.handleEnd(reason),
    });
  }

  /** The state of the connection. */
  get connection(): Observable<ConnectionStatus> {
    return this.link.status;
  }

  /** The chats, the newest first. */
  get chats(): Observable<readonly ChatSummary[]> {
    return this.chatList;
  }

  /** What the user prefers, on all devices; undefined if nothing is stored. */
  get preferences(): Observable<Json | undefined> {
    return this.preferenceState;
  }

  /** Changes some preferences; null removes one. @throws MessengerError if the server refuses it */
  async setPreferences(changes: StatePatch): Promise<void> {
    await this.requireAccount().changeState("preferences", changes);
  }

  /** Names and avatars of users. @throws MessengerError `LOGGED_OUT` */
  get people(): People {
    return this.requireAccount().people;
  }

  /** Links to the files of messages. @throws MessengerError `LOGGED_OUT` */
  get files(): FileLinks {
    return this.requireAccount().files;
  }

  /** Creates an account and logs in. @throws MessengerError such as `EMAIL_TAKEN`, `REGISTRATION_CLOSED`, `INVITE_INVALID` */
  register(body: PostAuthRegisterBody): Promise<Session> {
    return this.begin("/auth/register", body);
  }

  /**
   * Creates the first administrator's account with the token of a set-up link, and logs in.
   * @throws MessengerError such as `TOKEN_INVALID`, also if there is an administrator by now; `EMAIL_TAKEN`
   */
  setup(body: PostAuthSetupBody): Promise<Session> {
    return this.begin("/auth/setup", body);
  }

  /**
   * Who invites with the token of a link, and to which groups, before a registration with it.
   * @throws MessengerError `NOT_FOUND` if nobody can register with it
   */
  invite(token: string): Promise<InviteDescription> {
    return this.http.request("GET", `/invites/${encodeURIComponent(token)}`);
  }

  /** Logs in and connects. @throws MessengerError such as `BAD_CREDENTIALS` */
  login(body: PostAuthLoginBody): Promise<Session> {
    return this.begin("/auth/login", body);
  }

  /** Goes on with the session in the store, and connects. @returns whether there was one */
  async resume(): Promise<boolean> {
    const session = await this.sessions.load().catch((error) => {
      this.noteStoreFailure(error);
      return undefined;
    });
    if (session) await this.open(session.user);
    else void this.readInfo();
    return session !== undefined;
  }

  /**
   * Ends the session and removes what the store has of it.
   * @param options.discard also removes unsent messages
   * @throws MessengerError `UNSENT` if there are unsent messages
   */
  async logout(options: { discard?: boolean } = {}): Promise<void> {
    const { account } = this;
    if (!account) return;
    // Other tabs may have some.
    await account.outbox.load();
    if (account.hasUnsent && !options.discard) {
      throw new MessengerError("UNSENT", "There are unsent messages. Pass { discard: true } to remove them.");
    }
    const { latestToken: token, id } = this.sessions;
    this.link.stop();
    if (options.discard) await account.outbox.discardAll().catch((error) => this.noteStoreFailure(error));
    await account.wipe();
    await this.leave();
    await this.sessions.end(id);
    // Without a connection, the session ends when it expires.
    if (token) await this.http.request("POST", "/auth/logout", { token }).catch(() => {});
  }

  /** Connects again, after the connection has ended because of too many others. */
  takeOver(): void {
    const { state, reason } = this.connection.value;
    if (state === "ended" && reason === "openElsewhere" && this.account) this.link.start();
  }

  /** Stops everything. The session and unsent messages stay in the store. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.link.close();
    this.sessions.close();
    await this.account?.close();
    this.unsubscribe();
    await this.options.store?.close?.();
  }

  /**
   * Finds messages that contain all words of a text, in all chats or in one. Those written while there is no connection are
   * found once they are sent.
   * @throws MessengerError `VALIDATION` if a word is too short, `NOT_MEMBER`, `LOGGED_OUT`
   */
  async search(query: string, options: SearchOptions = {}): Promise<MessageHits> {
    return this.requireAccount().search(query, options);
  }

  /** The dialog with a user, also before its first message. @throws MessengerError `LOGGED_OUT` */
  dialogWith(userId: number): Chat {
    return this.requireAccount().dialogWith(userId);
  }

  /** A chat by its id. @throws MessengerError `LOGGED_OUT` */
  chat(chatId: number): Chat {
    return this.requireAccount().chat(chatId);
  }

  /**
   * The messages that mention the user, or everybody, in all chats, the newest first.
   * @param page.before the `cursor` of the page before
   * @throws MessengerError
   */
  async mentions(page: { limit?: number; before?: number } = {}): Promise<MentionList> {
    return this.requireAccount().mentions({ limit: 50, ...page });
  }

  /** Creates a group with some members. @throws MessengerError */
  async createGroup(group: { name: string; userIds: readonly number[] }): Promise<Chat> {
    return this.requireAccount().createGroup(group);
  }

  /** Whether some users are online. @throws MessengerError `LOGGED_OUT` */
  presence(userIds: readonly number[]): Observable<readonly PersonPresence[]> {
    return this.requireAccount().presence.of(userIds);
  }

  /**
   * Everything that happens from now on, each change once and in the order of its chat.
   * @throws MessengerError `LOGGED_OUT`
   */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<MessengerEvent> {
    return this.requireAccount().events(options.signal);
  }

  /**
   * Calls a listener with each new message, for example to show a notification.
   * @returns a function that ends it
   * @throws MessengerError `LOGGED_OUT`
   */
  on(_type: "message", listener: (event: { chat: Chat; message: Message }) => void): () => void {
    return this.requireAccount().onMessage((event) => {
      if (event.message) listener({ chat: event.chat, message: event.message });
    });
  }

  /**
   * Calls a function with each message of others: for bots. After a restart it goes on with the first message for which the
   * function has not resolved. It begins with the unread messages.
   * @param name names the position in the store, and what is sent: it must not change
   * @returns a function that ends it
   * @throws MessengerError `LOGGED_OUT`
   */
  handle(name: string, work: HandleMessage): () => void {
    return this.requireAccount().handle(name, work);
  }

  /**
   * Sends any request of the protocol.
   * @throws MessengerError with the server's code, or `OFFLINE` if there is no connection or it was lost: then the outcome
   *   is unknown
   */
  async request<T extends keyof Requests>(type: T, params: Requests[T]["params"]): Promise<Answer<T>> {
    const transport = this.link.open;
    if (!transport) throw offlineError();
    // Only the messenger's own syncs fit to what it has.
    return transport.request(type, params, type === "sync" ? () => {} : undefined);
  }

  /** Makes an HTTP request as the logged-in user, with JSON or a picture. @throws MessengerError */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const send = async () => this.http.request<T>(method, path, { token: await this.token(), ...(body && { body }) });
    try {
      return await send();
    } catch (error) {
      if (toMessengerError(error).code !== "UNAUTHENTICATED") throw error;
      await this.sessions.renew();
      return send();
    }
  }

  /**
   * Changes the name or e-mail address of the user; without changes, reads the profile again. A new e-mail address needs the
   * password. Where it has to be confirmed, it is `pendingEmail` until then.
   * @throws MessengerError such as `EMAIL_TAKEN`
   */
  async updateProfile(changes?: PatchUsersMeBody): Promise<Profile> {
    const profile = await this.call<Profile>(changes ? "PATCH" : "GET", "/users/me", changes);
    this.account?.setProfile(profile);
    return profile;
  }

  /** The address of an avatar, for `<img>`. It stays the same and needs no log-in: a changed avatar has another id. */
  avatarUrl(avatarId: string): string {
    return `${this.http.baseUrl}/avatars/${avatarId}`;
  }

  private async begin(path: string, body: object): Promise<Session> {
    const session = await this.http.request<Session>("POST", path, { body });
    this.link.stop();
    await this.leave();
    await this.sessions.begin(session);
    await this.open(session.user);
    return session;
  }

  /** Begins with what the store has of a user. */
  private async open(profile: Profile): Promise<void> {
    if (this.account?.me().id === profile.id) return;
    await this.leave();
    const account = new Account({
      profile,
      store: this.store.part(`${profile.id}/`),
      http: this.http,
      log: this.log,
      token: () => this.token(),
      onStoreFailure: (error) => this.noteStoreFailure(error),
      onProfile: (changed) => this.userState.set(changed),
    });
    this.opening = account;
    await account.load();
    // Closed meanwhile, or replaced by another log-in.
    if (this.isClosed || this.opening !== account) return account.close();
    this.account = account;
    this.userState.set(profile);
    const subscriptions = [
      account.chats.subscribe((chats) => this.chatList.set(chats)),
      account.preferences.subscribe((preferences) => this.preferenceState.set(preferences)),
    ];
    this.unsubscribe = () => {
      for (const end of subscriptions) end();
    };
    this.link.start();
  }

  /** Ends what belongs to the user, in memory. */
  private async leave(): Promise<void> {
    const { account } = this;
    this.account = undefined;
    this.unsubscribe();
    this.unsubscribe = () => {};
    this.chatList.set([]);
    this.preferenceState.set(undefined);
    this.userState.set(undefined);
    await account?.close();
  }

  private async handleEnd(reason: EndReason | "loggedOut"): Promise<void> {
    const { account } = this;
    if (reason === "openElsewhere" || reason === "protocolError") return;
    const { id } = this.sessions;
    // Nothing of the user is shown any more.
    const left = this.leave();
    if (reason === "accountDeleted") await account?.outbox.discardAll().catch((error) => this.noteStoreFailure(error));
    await account?.wipe();
    await left;
    await this.sessions.end(id);
  }

  private requireAccount(): Account {
    if (!this.account) throw loggedOutError();
    return this.account;
  }

  private async token(): Promise<string> {
    if (!this.sessions.isActive) throw loggedOutError();
    if (this.sessions.token === undefined) await this.sessions.renew();
    return this.sessions.token ?? "";
  }

  private async isAccepted(token: string): Promise<boolean> {
    try {
      await this.http.request("GET", "/users/me", { token });
      return true;
    } catch (error) {
      return toMessengerError(error).code !== "UNAUTHENTICATED";
    }
  }

  private async readInfo(): Promise<void> {
    const info = await this.http.request<ServerInfo>("GET", "/api/info").catch(() => undefined);
    if (info) this.infoState.set(info);
  }

  private noteStoreFailure(error: unknown): void {
    const reason = String(error);
    if (this.storageState.value.state === "failed") return;
    this.log.warn(`the store failed, unsent messages are kept in memory only: ${reason}`);
    this.storageState.set({ state: "failed", reason });
  }
}

function defaultWebSocket(): WebSocketClass {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketClass };
  if (!WebSocket)
    throw new Error("There is no WebSocket here: pass the one of the package `ws` as the option `WebSocket`.");
  return WebSocket;
}
