import type {
  FetchResponse,
  MentionedPeople,
  MessageItem,
  Requests,
  Session,
  SyncChat,
  SyncResult,
} from "../../src/index.ts";
import { closeCodes } from "../../src/protocol.ts";
import type { Link, LinkEnd } from "./model-link.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface ModelMessage {
  id: number;
  seq: number;
  version: number;
  senderId: number;
  text: string;
  clientMessageId?: string | undefined;
  replyTo?: number | undefined;
  /** The message that it forwards, and who first wrote it. */
  forwardedFrom?: number | undefined;
  firstAuthorId?: number | undefined;
  event?: NonNullable<MessageItem["event"]> | undefined;
  change?: NonNullable<MessageItem["change"]>;
  /** Who reacts with each emoji, in the order of the earliest. */
  reactions: Map<string, number[]>;
  pinned?: NonNullable<MessageItem["pinned"]> | undefined;
  mentions?: NonNullable<MessageItem["mentions"]> | undefined;
  mentionsAll?: true | undefined;
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
}

export interface ModelMember {
  role: "owner" | "member";
  readSeq: number;
  clearedSeq: number;
}

export interface ModelChat {
  id: number;
  /** Of a dialog: both users. */
  pair?: [number, number];
  groupName?: string;
  version: number;
  members: Map<number, ModelMember>;
  messages: ModelMessage[];
}

/** The personal state of a user. */
export interface ModelState {
  version: number;
  /** Removals up to it are forgotten. */
  prunedVersion: number;
  /** In the order of the versions. */
  keys: Map<string, { version: number; value: unknown }>;
}

/** What a restore brings back. */
interface Data {
  users: Map<number, { firstName: string }>;
  states: Map<number, ModelState>;
  chats: Map<number, ModelChat>;
  lastMessageId: number;
  lastChatId: number;
}

interface ModelSession {
  id: number;
  userId: number;
  generation: number;
  renewedAt: number;
  isEnded: boolean;
}

/** What happens to the next request: errors change nothing, unless the name says that the request was done. */
export type Fault =
  | "lostRequest"
  | "lostAnswer"
  | "answerTwice"
  | "lateAnswer"
  | "unavailable"
  | "unavailableDone"
  | "rateLimited"
  | "internal"
  | "unknownCode";

class Refused extends Error {
  constructor(
    readonly code: string,
    readonly details: object = {},
  ) {
    super(code);
  }
}

interface Open extends LinkEnd {
  link: Link;
  userId: number;
  sessionId: number;
}

type Params = { [T in keyof Requests]: Requests[T]["params"] };
type Reply = { item?: unknown; data?: unknown };

export const tokenLifeMs = 10 * 60_000;
const refreshGraceMs = 30_000;

/** A server of the protocol in memory, without blocks, searches and roles of administrators. */
export class ModelServer {
  data: Data = { users: new Map(), states: new Map(), chats: new Map(), lastMessageId: 0, lastChatId: 0 };
  epoch = "epoch-1";
  /** Small, so that few messages are enough to reach them. */
  limits = {
    ...{ changes: 8, syncMessages: 6, syncKeys: 3, pageMessages: 10, sendsPerSecond: Number.POSITIVE_INFINITY },
    reactingUsers: 1,
  };
  latencyMs: [number, number] = [1, 20];
  faults: Fault[] = [];
  httpFaults: ("lostRequest" | "lostAnswer" | "unavailable" | "rateLimited")[] = [];
  refusedUpgrades = 0;
  /** Changes are pushed under another type and with unknown fields, as a newer server may do. */
  isNewer = false;
  /** Client message ids that a restore has removed. */
  readonly lost = new Set<string>();
  /** Client message ids of sends that were refused for good. */
  readonly refused = new Set<string>();
  readonly sockets = new Set<Open>();
  readonly refreshes: string[] = [];
  private readonly sessions: ModelSession[] = [];
  private readonly sent = new Map<number, number[]>();
  private snapshot: Data | undefined;
  private epochs = 1;
  private unanswered: Open | undefined;

  constructor(readonly time: VirtualTime) {}

  addUser(id: number, firstName: string): void {
    this.data.users.set(id, { firstName });
  }

  /** Makes a dialog of two users or a group of more, with a history. */
  fill(userIds: readonly number[], count: number): void {
    const [first = 0, second = 0] = userIds;
    const isDialog = userIds.length === 2;
    const chat = this.newChat(isDialog ? { pair: [first, second] } : { groupName: "team" });
    for (const id of userIds)
      chat.members.set(id, { role: !isDialog && id === first ? "owner" : "member", readSeq: 0, clearedSeq: 0 });
    for (let n = 0; n < count; n++)
      this.append(undefined, chat, "", { senderId: userIds[n % userIds.length] ?? first, text: `old ${n + 1}` });
  }

  /** Keeps the present state for `restore`. */
  backUp(): void {
    this.snapshot = structuredClone(this.data);
  }

  /** @param options.reusesIds as of a server of an earlier version */
  restore(options: { reusesIds?: boolean } = {}): void {
    if (!this.snapshot) return;
    const before = this.clientMessageIds();
    const { lastMessageId, lastChatId } = this.data;
    // No id of the lost history is used again.
    this.data = { ...structuredClone(this.snapshot), ...(options.reusesIds ? {} : { lastMessageId, lastChatId }) };
    this.epoch = `epoch-${++this.epochs}`;
    const after = this.clientMessageIds();
    for (const id of before) if (!after.has(id)) this.lost.add(id);
    for (const id of after) this.lost.delete(id);
    this.closeAll(closeCodes.restart.code);
  }

  closeAll(code: number, userId?: number): void {
    for (const socket of [...this.sockets]) if (userId === undefined || socket.userId === userId) socket.close(code);
  }

  /** The number of sessions that have not ended. */
  get activeSessions(): number {
    return this.sessions.filter(({ isEnded }) => !isEnded).length;
  }

  /** Ends all sessions of a user. */
  revoke(userId: number): void {
    for (const session of this.sessions) if (session.userId === userId) session.isEnded = true;
    this.closeAll(closeCodes.sessionEnded.code, userId);
  }

  renameUser(userId: number, firstName: string): void {
    this.data.users.set(userId, { firstName });
    const seeing = [...this.data.chats.values()].filter(({ members }) => members.has(userId));
    const userIds = new Set([userId, ...seeing.flatMap(({ members }) => [...members.keys()])]);
    this.push(userIds, "profile", { userId, firstName, lastName: null });
  }

  /** The personal state of a user. */
  stateOf(userId: number): ModelState {
    const state = this.data.states.get(userId) ?? { version: 0, prunedVersion: 0, keys: new Map() };
    this.data.states.set(userId, state);
    return state;
  }

  /** Forgets removed keys; older keys get new versions. */
  pruneState(userId: number): void {
    const state = this.stateOf(userId);
    const removed = [...state.keys].filter(([, { value }]) => value === null);
    for (const [key, { version }] of removed) {
      state.keys.delete(key);
      state.prunedVersion = Math.max(state.prunedVersion, version);
    }
    for (const [key, entry] of [...state.keys])
      if (entry.version < state.prunedVersion) this.setKey(state, key, entry.value);
  }

  /** A kind of push that the client does not know. */
  pushUnknown(): void {
    for (const { userId } of this.sockets) this.push([userId], "pollOpened", { pollId: 1, chatId: 1, version: "x" });
  }

  /** What a fresh client would show of a user's chats. */
  chatsOf(userId: number): ModelChat[] {
    return [...this.data.chats.values()].filter(({ members }) => members.has(userId));
  }

  /** A new socket of a client. @returns its end at the server, or undefined if the upgrade is refused */
  accept(link: Link, protocols: readonly string[]): LinkEnd | undefined {
    const session = this.sessionOf(protocols.find((protocol) => protocol.startsWith("bearer."))?.slice(7));
    if (this.refusedUpgrades > 0) this.refusedUpgrades--;
    else if (session) {
      const open: Open = {
        link,
        userId: session.userId,
        sessionId: session.id,
        receive: (text) => this.receive(open, JSON.parse(text)),
        close: (code) => {
          this.sockets.delete(open);
          link.closeByServer(code);
        },
        closed: () => this.sockets.delete(open),
      };
      this.sockets.add(open);
      return open;
    }
    return undefined;
  }

  async fetch(url: string, init: { method: string; headers: Record<string, string>; body?: string }) {
    const wait = () =>
      new Promise<void>((resolve) => this.time.schedule(this.time.between(...this.latencyMs), resolve));
    const { pathname, searchParams } = new URL(url);
    const answer = (status: number, body?: unknown): FetchResponse => ({
      ok: status < 300,
      status,
      json: async () => structuredClone(body),
    });
    await wait();
    const fault = pathname === "/api/info" ? undefined : this.httpFaults.shift();
    if (fault === "lostRequest") throw new Error("network");
    if (fault === "unavailable") return answer(503);
    if (fault === "rateLimited") return answer(429, { code: "RATE_LIMITED", retryAfterMs: 1500 });
    let response: FetchResponse;
    try {
      const token = init.headers.Authorization?.slice(7);
      response = answer(
        200,
        this.route(`${init.method} ${pathname}`, JSON.parse(init.body ?? "{}"), token, searchParams),
      );
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      response = answer(401, { code: error.code, detail: error.code });
    }
    if (fault === "lostAnswer") throw new Error("network");
    await wait();
    return response;
  }

  private route(
    route: string,
    body: { email?: string; refreshToken?: string },
    token: string | undefined,
    query: URLSearchParams,
  ) {
    if (route === "GET /api/info") return { name: "model", epoch: this.epoch };
    if (route === "POST /auth/login") {
      const session = {
        id: this.sessions.length + 1,
        userId: Number(body.email),
        generation: 1,
        renewedAt: -1e9,
        isEnded: false,
      };
      this.sessions.push(session);
      return this.answerOf(session);
    }
    if (route === "POST /auth/refresh") return this.refresh(body.refreshToken ?? "");
    const session = this.sessionOf(token);
    if (!session) throw new Refused("UNAUTHENTICATED");
    if (route === "POST /auth/logout") {
      session.isEnded = true;
      for (const socket of [...this.sockets])
        if (socket.sessionId === session.id) socket.close(closeCodes.sessionEnded.code);
      return undefined;
    }
    if (route === "GET /users/me") return this.person(session.userId);
    const ids = (query.get("ids") ?? "").split(",").map(Number);
    return { data: ids.map((id) => this.person(id)), nextCursor: null };
  }

  private refresh(refreshToken: string): Session {
    const [id, generation] = refreshToken.split(".").map(Number);
    const session = this.sessions.find((one) => one.id === id);
    if (!session || session.isEnded) throw new Refused("UNAUTHENTICATED");
    this.refreshes.push(refreshToken);
    const { now } = this.time;
    if (generation === session.generation) {
      session.generation++;
      session.renewedAt = now;
    } else if (generation !== session.generation - 1 || now - session.renewedAt > refreshGraceMs) {
      session.isEnded = true;
      throw new Refused("UNAUTHENTICATED");
    }
    return this.answerOf(session);
  }

  private answerOf({ id, userId, generation }: ModelSession): Session {
    const iat = Math.floor(this.time.now / 1000);
    const exp = iat + tokenLifeMs / 1000;
    const token = `h.${btoa(JSON.stringify({ iat, exp, sid: id }))}.s`;
    const user = {
      ...this.person(userId),
      email: String(userId),
      pendingEmail: null,
      role: "user" as const,
      createdAt: "",
    };
    return { user, token, expiresAt: "", refreshToken: `${id}.${generation}` };
  }

  private sessionOf(token: string | undefined): ModelSession | undefined {
    if (!token) return undefined;
    const { exp, sid } = JSON.parse(atob(token.split(".")[1] ?? ""));
    const session = this.sessions.find(({ id, isEnded }) => id === sid && !isEnded);
    return exp * 1000 > this.time.now ? session : undefined;
  }

  private receive(
    open: Open,
    { type, params, requestId }: { type: keyof Params; params: never; requestId: number },
  ): void {
    const fault = type === "ping" ? undefined : this.faults.shift();
    const { link } = open;
    if (fault === "lostRequest") {
      link.lose();
      return;
    }
    const errors: Partial<Record<Fault, object>> = {
      unavailable: { code: "UNAVAILABLE", retryable: true },
      rateLimited: { code: "RATE_LIMITED", retryAfterMs: this.time.between(1, 3000) },
      internal: { code: "INTERNAL" },
      unknownCode: { code: "MOON_PHASE" },
    };
    let frame: object | undefined = fault && errors[fault];
    if (!frame) {
      try {
        // Without an answer, the change is pushed to this socket too.
        this.unanswered = fault === "unavailableDone" ? open : undefined;
        const { item = null, data = null } = this.handle(open, type, params);
        frame = {
          success: true,
          params: { data, item, message: null, senderName: null, isBroadcast: false, extra: 1 },
        };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        frame = { code: error.code, ...error.details };
      }
      if (fault === "lostAnswer") {
        link.lose();
        return;
      }
      if (fault === "unavailableDone") frame = errors.unavailable ?? {};
    }
    if (fault === "lateAnswer") link.delay(this.time.between(2000, 70_000));
    const isError = "code" in frame;
    const { clientMessageId } = params as { clientMessageId?: string };
    if (isError && clientMessageId !== undefined && !("retryAfterMs" in frame) && !("retryable" in frame))
      this.refused.add(clientMessageId);
    for (let times = fault === "answerTwice" ? 2 : 1; times > 0; times--)
      link.toClient(JSON.stringify({ type, requestId, ...(isError && { error: true, message: "" }), ...frame }));
  }

  private handle(open: Open, type: keyof Params, params: never): Reply {
    const me = open.userId;
    const handlers: { [T in keyof Params]?: (params: Params[T]) => Reply } = {
      ping: () => ({ item: { serverTime: "" } }),
      authenticate: () => ({ item: { expiresAt: "" } }),
      watchPresence: () => ({ data: [] }),
      typing: ({ chatId }) => {
        const { members } = this.chatOf(me, chatId);
        this.push(
          [...members.keys()].filter((id) => id !== me),
          "typing",
          { chatId, userId: me, ttlMs: 5000 },
        );
        return {};
      },
      sync: (wanted) => ({ item: this.sync(me, wanted) }),
      getMessages: (wanted) => this.page(me, wanted),
      listGroupMembers: ({ groupId }) => ({
        data: [...this.chatOf(me, groupId).members].map(([userId, { role }]) => ({
          ...this.name(userId),
          userId,
          role,
        })),
      }),
      privateMessage: ({ receiverId, ...message }) =>
        this.send(open, this.dialog(me, receiverId), "privateMessage", message),
      messageInGroup: ({ groupId, ...message }) => this.send(open, this.chatOf(me, groupId), "messageInGroup", message),
      newGroup: ({ groupName, clientMessageId }) => {
        const known = this.withClientId(me, clientMessageId);
        if (known) return { item: { ...this.item(known.chat, known.message), duplicate: true } };
        const chat = this.newChat({ groupName });
        chat.members.set(me, { role: "owner", readSeq: 0, clearedSeq: 0 });
        return this.append(open, chat, "newGroup", {
          clientMessageId,
          event: { kind: "groupCreated", byUserId: me, groupName },
        });
      },
      addUserInGroup: ({ groupId, userId }) => {
        const chat = this.chatOf(me, groupId);
        if (chat.members.has(userId)) throw new Refused("CONFLICT");
        chat.members.set(userId, { role: "member", readSeq: 0, clearedSeq: 0 });
        return this.append(open, chat, "addUserInGroup", { event: { kind: "memberAdded", byUserId: me, userId } });
      },
      leaveGroup: ({ groupId }) => this.leave(open, this.chatOf(me, groupId)),
      removeUserFromGroup: ({ groupId, userId }) => {
        const chat = this.chatOf(me, groupId);
        if (chat.members.get(me)?.role !== "owner" || userId === me) throw new Refused("FORBIDDEN");
        if (!chat.members.has(userId)) throw new Refused("NOT_FOUND");
        const event = { kind: "memberRemoved", byUserId: me, userId } as const;
        return this.append(open, chat, "removeUserFromGroup", { event }, () => chat.members.delete(userId));
      },
      renameGroup: ({ groupId, groupName }) => {
        const chat = this.chatOf(me, groupId);
        if (chat.members.get(me)?.role !== "owner") throw new Refused("FORBIDDEN");
        const last = chat.messages.findLast(({ event }) => event?.groupName !== undefined);
        if (last && chat.groupName === groupName) return { item: this.item(chat, last) };
        chat.groupName = groupName;
        return this.append(open, chat, "renameGroup", { event: { kind: "groupRenamed", byUserId: me, groupName } });
      },
      forwardMessage: ({ messageId, receiverId, groupId, clientMessageId }) => {
        const target = receiverId === undefined ? this.chatOf(me, groupId ?? 0) : this.dialog(me, receiverId);
        return this.forward(open, target, messageId, clientMessageId);
      },
      editMessage: ({ messageId, content, ...mentioned }) => this.revise(open, "edit", messageId, content, mentioned),
      deleteMessage: ({ messageId }) => this.revise(open, "delete", messageId, ""),
      react: ({ messageId, emoji, on }) => {
        const { chat, message } = this.shownMessage(me, messageId);
        const userIds = message.reactions.get(emoji) ?? [];
        if (userIds.includes(me) === on) return { item: this.item(chat, message) };
        const others = userIds.filter((id) => id !== me);
        if (on) message.reactions.set(emoji, [...others, me]);
        else if (others.length > 0) message.reactions.set(emoji, others);
        else message.reactions.delete(emoji);
        return this.change(open, chat, message, "react", { kind: "reaction", by: me, emoji, on });
      },
      pinMessage: ({ messageId, on }) => {
        const { chat, message } = this.shownMessage(me, messageId);
        if (!chat.pair && chat.members.get(me)?.role !== "owner") throw new Refused("FORBIDDEN");
        if ((message.pinned !== undefined) === on) return { item: this.item(chat, message) };
        message.pinned = on ? { by: me, at: this.now() } : undefined;
        return this.change(open, chat, message, "pinMessage", { kind: "pin", by: me, on });
      },
      listPinned: ({ chatId }) => {
        const chat = this.chatOf(me, chatId);
        return { data: pinnedOf(chat, me).map((message) => this.item(chat, message, me)) };
      },
      markRead: ({ chatId, seq }) => {
        const chat = this.chatOf(me, chatId);
        return { item: this.markRead(open, chat, Math.min(seq, chat.messages.length)) };
      },
      setState: ({ key, value }) => {
        if (value !== null && key.includes(":")) this.chatOf(me, Number(key.split(":")[1]));
        const state = this.stateOf(me);
        const known = state.keys.get(key);
        if (JSON.stringify(known?.value ?? null) === JSON.stringify(value))
          return { item: { stateVersion: known?.version ?? 0, key, value } };
        const item = { stateVersion: this.setKey(state, key, value), key, value };
        this.push([me], "setState", item, open);
        return { item };
      },
      clearDialog: ({ receiverId }) => {
        const chat = this.dialogOf(me, receiverId);
        const member = chat?.members.get(me);
        if (!chat || !member) return {};
        member.clearedSeq = chat.messages.length;
        this.markRead(open, chat, member.clearedSeq);
        const item = { chatId: chat.id, clearedSeq: member.clearedSeq, readSeq: member.readSeq };
        this.push([me], "clearDialog", item, open);
        return { item };
      },
    };
    const handler = handlers[type] as ((params: never) => Reply) | undefined;
    if (!handler) throw new Refused("UNKNOWN_TYPE");
    return handler(params);
  }

  private send(
    open: Open,
    chat: ModelChat,
    type: string,
    wanted: { content: string; clientMessageId?: string; replyTo?: number } & MentionedPeople,
  ): Reply {
    const { content: text, clientMessageId, replyTo, mentionsAll } = wanted;
    this.limitRate(open);
    const known = this.withClientId(open.userId, clientMessageId);
    if (known && known.chat !== chat) throw new Refused("CONFLICT");
    if (known) return { item: { ...this.item(chat, known.message), duplicate: true } };
    if (replyTo !== undefined && !chat.messages.some(({ id }) => id === replyTo)) throw new Refused("NOT_FOUND");
    const mentions = membersOf(chat, wanted);
    return this.append(open, chat, type, { text, clientMessageId, replyTo, mentions, mentionsAll });
  }

  private forward(open: Open, chat: ModelChat, messageId: number, clientMessageId: string | undefined): Reply {
    this.limitRate(open);
    const known = this.withClientId(open.userId, clientMessageId);
    if (known && (known.chat !== chat || known.message.forwardedFrom !== messageId)) throw new Refused("CONFLICT");
    if (known) return { item: { ...this.item(chat, known.message), duplicate: true } };
    const { text, senderId, firstAuthorId = senderId } = this.shownMessage(open.userId, messageId).message;
    const fields = { text, clientMessageId, forwardedFrom: messageId, firstAuthorId };
    return this.append(open, chat, chat.pair ? "privateMessage" : "messageInGroup", fields);
  }

  /** As the server's limits: so many at once, then so many per second; who does not stop is disconnected. */
  private limitRate(open: Open): void {
    const { sendsPerSecond } = this.limits;
    const { now } = this.time;
    const recent = (this.sent.get(open.userId) ?? []).filter((at) => at > now - 1000);
    this.sent.set(open.userId, recent);
    if (recent.length < sendsPerSecond) recent.push(now);
    else throw new Refused("RATE_LIMITED", { retryAfterMs: (recent[0] ?? now) + 1000 - now });
  }

  private leave(open: Open, chat: ModelChat): Reply {
    const me = open.userId;
    const role = chat.members.get(me)?.role;
    const event = { kind: "memberLeft", byUserId: me } as const;
    const reply = this.append(open, chat, "leaveGroup", { event }, () => chat.members.delete(me));
    const [heir] = chat.members;
    if (role !== "owner" || !heir) return reply;
    heir[1].role = "owner";
    this.append(undefined, chat, "transferOwnership", {
      senderId: me,
      event: { kind: "ownershipTransferred", byUserId: me, userId: heir[0] },
    });
    return reply;
  }

  /** Adds a message and pushes it to those who are members before `then`. */
  private append(
    open: Open | undefined,
    chat: ModelChat,
    type: string,
    fields: Partial<ModelMessage>,
    then?: () => void,
  ): Reply {
    const seq = chat.messages.length + 1;
    const message: ModelMessage = {
      id: ++this.data.lastMessageId,
      seq,
      version: ++chat.version,
      senderId: open?.userId ?? 0,
      text: fields.event?.kind ?? "",
      reactions: new Map(),
      createdAt: this.now(),
      editedAt: null,
      deletedAt: null,
      ...fields,
    };
    chat.messages.push(message);
    const member = chat.members.get(message.senderId);
    if (member) member.readSeq = seq;
    const receivers = [...chat.members.keys()];
    then?.();
    const item = this.item(chat, message);
    this.push(receivers, type, item, open);
    return { item };
  }

  private messageOf(me: number, messageId: number): { chat: ModelChat; message: ModelMessage } {
    const chat = this.chatsOf(me).find(({ messages }) => messages.some(({ id }) => id === messageId));
    const message = chat?.messages.find(({ id }) => id === messageId);
    if (!chat || !message) throw new Refused("NOT_FOUND");
    return { chat, message };
  }

  private shownMessage(me: number, messageId: number): { chat: ModelChat; message: ModelMessage } {
    const found = this.messageOf(me, messageId);
    if (found.message.event || found.message.deletedAt) throw new Refused("FORBIDDEN");
    return found;
  }

  private revise(
    open: Open,
    kind: "edit" | "delete",
    messageId: number,
    text: string,
    mentioned: MentionedPeople = {},
  ): Reply {
    const { chat, message } = this.messageOf(open.userId, messageId);
    if (message.senderId !== open.userId || message.event) throw new Refused("FORBIDDEN");
    if (message.forwardedFrom !== undefined && kind === "edit") throw new Refused("FORBIDDEN");
    if (message.deletedAt && kind === "edit") throw new Refused("CONFLICT");
    const { mentionsAll } = mentioned;
    const mentions = membersOf(chat, mentioned);
    const isSame = message.text === text && JSON.stringify(message.mentions) === JSON.stringify(mentions);
    if (message.deletedAt || (kind === "edit" && isSame && message.mentionsAll === mentionsAll))
      return { item: this.item(chat, message) };
    Object.assign(message, { text, mentions, mentionsAll, [kind === "edit" ? "editedAt" : "deletedAt"]: this.now() });
    if (kind === "delete") Object.assign(message, { reactions: new Map(), pinned: undefined });
    return this.change(open, chat, message, `${kind}Message`, { kind, by: open.userId });
  }

  private change(
    open: Open,
    chat: ModelChat,
    message: ModelMessage,
    type: string,
    change: NonNullable<MessageItem["change"]>,
  ): Reply {
    Object.assign(message, { change, version: ++chat.version });
    const item = this.item(chat, message);
    this.push(chat.members.keys(), type, item, open);
    return { item };
  }

  private now(): string {
    return new Date(1e12 + this.time.now).toISOString();
  }

  private markRead(open: Open, chat: ModelChat, seq: number): object {
    const userId = open.userId;
    const member = chat.members.get(userId);
    const readSeq = Math.max(member?.readSeq ?? 0, seq);
    const item = { chatId: chat.id, userId, readSeq };
    if (member && readSeq > member.readSeq) {
      member.readSeq = readSeq;
      this.push(chat.pair ? new Set(chat.pair) : [userId], "markRead", item, open);
    }
    return item;
  }

  private setKey(state: ModelState, key: string, value: unknown): number {
    state.keys.delete(key);
    state.keys.set(key, { version: ++state.version, value });
    return state.version;
  }

  private sync(me: number, params: Params["sync"]): SyncResult {
    const answer = this.syncChats(me, params);
    const { stateVersion, epoch } = params;
    if (stateVersion === undefined) return answer;
    const { version, prunedVersion, keys } = this.stateOf(me);
    const isReset =
      stateVersion < prunedVersion || stateVersion > version || (epoch !== undefined && epoch !== this.epoch);
    const all = [...keys].filter(([, entry]) => isReset || entry.version > stateVersion);
    const entries = all.slice(0, this.limits.syncKeys);
    const last = entries.length < all.length ? entries.at(-1)?.[1].version : undefined;
    const state = {
      version: last ?? version,
      entries: entries.map(([key, { value }]) => [key, value] as const),
      ...(isReset && { reset: true as const }),
    };
    return { ...answer, state, hasMore: answer.hasMore || last !== undefined };
  }

  private syncChats(
    me: number,
    { chats, range = [1, Number.MAX_SAFE_INTEGER], epoch, newest }: Params["sync"],
  ): SyncResult {
    const known = new Map(chats.map((entry) => [entry[0], entry]));
    const left = [...known.keys()].filter((id) => !this.data.chats.get(id)?.members.has(me));
    const answer: SyncResult = { chats: [], left, hasMore: false, epoch: this.epoch, userId: me, serverTime: "" };
    const found: SyncChat[] = [];
    let room = this.limits.syncMessages;
    const mine = this.chatsOf(me).filter(({ id }) => id >= range[0] && id <= range[1]);
    for (const chat of mine.sort((a, b) => a.id - b.id)) {
      const entry = this.entry(me, chat, known.get(chat.id), epoch !== undefined && epoch !== this.epoch, newest);
      if (!entry) continue;
      const { messages, version } = entry;
      const last = messages[room - 1];
      if (messages.length > room && !last) return { ...answer, chats: found, hasMore: true };
      const isCut = messages.length > room;
      const isNewest = Boolean(entry.joined || entry.tooLong || entry.reset);
      const kept = isCut ? (isNewest ? messages.toSorted((a, b) => b.seq - a.seq) : messages).slice(0, room) : messages;
      found.push({
        ...entry,
        version: isCut && !isNewest ? (last?.version ?? version) : version,
        messages: kept.toSorted((a, b) => a.version - b.version),
        ...(isCut && entry.joined && { tooLong: true as const }),
      });
      if (isCut) return { ...answer, chats: found, hasMore: !isNewest || chat !== mine.at(-1) };
      room -= messages.length;
    }
    return { ...answer, chats: found };
  }

  /** How a chat differs from what the client knows. */
  private entry(
    me: number,
    chat: ModelChat,
    known: Params["sync"]["chats"][number] | undefined,
    isOther: boolean,
    newest?: number,
  ): SyncChat | undefined {
    const member = chat.members.get(me) as ModelMember;
    const { readSeq, clearedSeq, role } = member;
    const peerId = chat.pair?.find((id) => id !== me) ?? me;
    const peerReadSeq = peerId === me ? undefined : chat.members.get(peerId)?.readSeq;
    const [, version = 0, knownReadSeq, knownClearedSeq = 0, knownPeerReadSeq] = known ?? [];
    const isReset = known !== undefined && (isOther || version > chat.version);
    const isPeerSame = knownPeerReadSeq === undefined || peerReadSeq === undefined || knownPeerReadSeq === peerReadSeq;
    const isSame =
      known && version === chat.version && readSeq === knownReadSeq && clearedSeq === knownClearedSeq && isPeerSame;
    if (isSame && !isReset) return undefined;
    const visible = chat.messages.filter(({ seq }) => seq > clearedSeq);
    const changed = chat.messages.filter(
      (one) => one.version > version && (one.seq > clearedSeq || (known && one.change)),
    );
    const isTooLong = known ? changed.length > this.limits.changes : visible.length > (newest ?? 500);
    const isPartial = isReset || isTooLong;
    const messages = isPartial ? visible.slice(-(newest ?? 50)) : changed.sort((a, b) => a.version - b.version);
    return {
      chatId: chat.id,
      ...(chat.pair
        ? { kind: "dialog", userId: peerId, userName: this.name(peerId).firstName, userLastName: null }
        : { kind: "group", groupId: chat.id, groupName: chat.groupName ?? "", role, memberCount: chat.members.size }),
      version: chat.version,
      lastSeq: chat.messages.length,
      readSeq,
      unread: chat.messages.length - readSeq,
      mentions: mentionsOf(chat, me),
      clearedSeq,
      ...(peerReadSeq !== undefined && { peerReadSeq }),
      messages: messages.map((message) => this.item(chat, message, me)),
      ...(!known && { joined: true }),
      ...(isReset ? { reset: true } : isTooLong && { tooLong: true }),
    };
  }

  private page(me: number, { chatId, limit, before, after, around }: Params["getMessages"]): Reply {
    const chat = this.chatOf(me, chatId);
    const { clearedSeq = 0 } = chat.members.get(me) ?? {};
    const last = chat.messages.length;
    const size = Math.min(limit, this.limits.pageMessages);
    const within = (seq: number) => Math.min(Math.max(seq, clearedSeq), last);
    let [from, to] = [0, 0];
    if (after !== undefined) [from, to] = [within(after), within(within(after) + size)];
    else if (around !== undefined) {
      from = within(around - Math.ceil(size / 2));
      to = within(from + size);
    } else {
      to = before === undefined ? last : within(before - 1);
      from = within(to - size);
    }
    const hasMore = (after === undefined && from > clearedSeq) || ((after ?? around) !== undefined && to < last);
    return { data: chat.messages.slice(from, to).map((message) => this.item(chat, message, me)), item: { hasMore } };
  }

  /** @param reader the user for whom it is read, if it is for one user */
  private item(chat: ModelChat, message: ModelMessage, reader?: number): MessageItem {
    const { id, seq, version, senderId, text, clientMessageId, event, change, createdAt, editedAt, deletedAt } =
      message;
    const reactions = [...message.reactions].map(([emoji, userIds]) => ({
      emoji,
      count: userIds.length,
      userIds: userIds.slice(0, this.limits.reactingUsers),
      ...(userIds.some((userId) => userId === reader) && { mine: true as const }),
    }));
    const original = chat.messages.find((one) => one.id === message.replyTo);
    const sender = this.name(senderId);
    return {
      chatId: chat.id,
      messageId: id,
      seq,
      version,
      senderId,
      senderName: sender.firstName,
      senderLastName: null,
      ...(chat.pair ? { receiverId: chat.pair.find((one) => one !== senderId) ?? senderId } : { groupId: chat.id }),
      message: text,
      ...(clientMessageId !== undefined && { clientMessageId }),
      ...(original && {
        replyTo: {
          messageId: original.id,
          senderId: original.senderId,
          senderName: this.name(original.senderId).firstName,
          preview: original.text.slice(0, 100),
          deletedAt: original.deletedAt,
        },
      }),
      notification: event !== undefined,
      ...(event && { event }),
      ...(change && { change }),
      ...(reactions.length > 0 && { reactions }),
      ...(message.mentions && { mentions: message.mentions }),
      ...(message.mentionsAll && { mentionsAll: true }),
      ...(message.pinned && { pinned: message.pinned }),
      ...(message.firstAuthorId !== undefined &&
        !deletedAt && {
          forwarded: { senderId: message.firstAuthorId, senderName: this.name(message.firstAuthorId).firstName },
        }),
      createdAt,
      editedAt,
      deletedAt,
    };
  }

  /** Pushes to all sockets of some users but one. */
  private push(userIds: Iterable<number>, type: string, item: object, except?: Open): void {
    const receivers = new Set(userIds);
    const isChange = "messageId" in item;
    const shown = this.isNewer && isChange ? { ...item, mood: "new" } : item;
    const frame = {
      type: this.isNewer && isChange ? `${type}2` : type,
      success: true,
      params: { data: null, message: null, senderName: null, isBroadcast: true, item: shown },
    };
    for (const socket of this.sockets)
      if (receivers.has(socket.userId) && (socket !== except || socket === this.unanswered))
        socket.link.toClient(JSON.stringify(frame));
  }

  private chatOf(me: number, chatId: number): ModelChat {
    const chat = this.data.chats.get(chatId);
    if (!chat?.members.has(me)) throw new Refused("NOT_MEMBER");
    return chat;
  }

  private dialogOf(me: number, peerId: number): ModelChat | undefined {
    const wanted = [me, peerId].sort().join();
    return [...this.data.chats.values()].find(({ pair }) => pair?.toSorted().join() === wanted);
  }

  private dialog(me: number, peerId: number): ModelChat {
    const known = this.dialogOf(me, peerId);
    if (known) return known;
    if (!this.data.users.has(peerId)) throw new Refused("NOT_FOUND");
    const chat = this.newChat({ pair: [me, peerId] });
    for (const id of [me, peerId]) chat.members.set(id, { role: "member", readSeq: 0, clearedSeq: 0 });
    return chat;
  }

  private newChat(fields: Partial<ModelChat>): ModelChat {
    const chat: ModelChat = { id: ++this.data.lastChatId, version: 0, members: new Map(), messages: [], ...fields };
    this.data.chats.set(chat.id, chat);
    return chat;
  }

  private withClientId(me: number, clientMessageId: string | undefined) {
    if (clientMessageId === undefined) return undefined;
    for (const chat of this.data.chats.values()) {
      const message = chat.messages.find((one) => one.senderId === me && one.clientMessageId === clientMessageId);
      if (message) return { chat, message };
    }
    return undefined;
  }

  private clientMessageIds(): Set<string> {
    return new Set(
      [...this.data.chats.values()].flatMap(({ messages }) => messages.flatMap((one) => one.clientMessageId ?? [])),
    );
  }

  private person(id: number) {
    return { id, ...this.name(id) };
  }

  private name(id: number) {
    return { firstName: this.data.users.get(id)?.firstName ?? "", lastName: null };
  }
}

/** The mentions of members; undefined if there are none. */
function membersOf({ members }: ModelChat, { mentions = [] }: MentionedPeople) {
  const kept = mentions.filter(({ userId }) => members.has(userId));
  return kept.length > 0 ? kept : undefined;
}

/** The number of unread messages of others that mention a user. */
export function mentionsOf({ members, messages }: ModelChat, userId: number): number {
  const { readSeq = 0 } = members.get(userId) ?? {};
  return messages.filter(
    ({ seq, senderId, mentions = [], mentionsAll }) =>
      seq > readSeq && senderId !== userId && (mentionsAll || mentions.some((mention) => mention.userId === userId)),
  ).length;
}

/** The pinned messages that a member sees, the newest pin first. */
export function pinnedOf({ members, messages }: ModelChat, userId: number): ModelMessage[] {
  const { clearedSeq = 0 } = members.get(userId) ?? {};
  const pinned = messages.filter((message) => message.pinned && message.seq > clearedSeq);
  return pinned.sort((a, b) => (b.pinned?.at ?? "").localeCompare(a.pinned?.at ?? "") || b.seq - a.seq);
}
