import { WebSocket } from "ws";
import type { MessageItem } from "../../src/contract/messages.ts";
import type { Log, Sent } from "./log.ts";
import type { Random } from "./random.ts";

// biome-ignore lint/suspicious/noExplicitAny: a frame as it came from a server that is not trusted here
type Frame = any;

/** What a device keeps of a chat; built from nothing but answers and pushes, by the rule that the documents give clients. */
export interface LocalChat {
  chatId: number;
  kind: "dialog" | "group";
  version: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq: number | undefined;
  messages: Map<number, MessageItem>;
  /** Was told that too much has changed, and keeps only the newest. */
  partial: boolean;
}

const answerWithinMs = 20_000;

/** One device of one person. Connects, catches up, acts, is cut off, and comes back; keeps what it knows meanwhile. */
export class ChaosClient {
  readonly chats = new Map<number, LocalChat>();
  private socket: WebSocket | undefined;
  private waiting = new Map<number, (frame: Frame | undefined) => void>();
  private requests = 0;
  private texts = 0;
  /** Per connection: the last version of each chat that this connection was told. */
  private told = new Map<number, number>();
  private caughtUp = false;
  private catchingUp: Promise<void> | undefined;
  private catchUpAgain = false;
  /** Sends whose outcome is unknown, to be sent again. */
  readonly unsettled: Sent[] = [];

  constructor(
    readonly name: string,
    readonly userId: number,
    private readonly token: string,
    private readonly log: Log,
    readonly random: Random,
  ) {}

  get connected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Opens a socket and catches up; false when the server is not there. */
  async connect(port: number): Promise<boolean> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${this.token}` } });
    socket.on("error", () => {});
    const opened = await new Promise<boolean>((resolve) => {
      socket.once("open", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
    if (!opened) return false;
    this.log.counts.connections++;
    this.socket = socket;
    this.told = new Map();
    this.caughtUp = false;
    socket.on("message", (data) => this.take(JSON.parse(String(data))));
    socket.on("close", () => {
      if (this.socket === socket) this.socket = undefined;
      for (const settle of [...this.waiting.values()]) settle(undefined);
    });
    await this.catchUp();
    return this.connected;
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.socket?.terminate();
  }

  /** Stops reading for a while, as a phone in a tunnel does. */
  stall(ms: number): void {
    const { socket } = this;
    socket?.pause();
    setTimeout(() => socket?.resume(), ms);
  }

  close(): void {
    this.socket?.close();
  }

  /** Says something nobody has said before. */
  say(to: { groupId: number } | { receiverId: number }): Promise<void> {
    const text = `${this.name} says ${++this.texts}`;
    const sent: Sent = {
      text,
      clientMessageId: `${this.name}-${this.texts}`.padEnd(8, "."),
      senderId: this.userId,
      outcome: "unknown",
    };
    this.log.sent.set(text, sent);
    return this.send(sent, to);
  }

  /** Sends again what may or may not have arrived. */
  async sayAgain(): Promise<void> {
    const sent = this.unsettled.shift();
    if (!sent?.to) return;
    this.log.counts.resent++;
    await this.send(sent, sent.to);
  }

  async request(type: string, params: object): Promise<Frame | undefined> {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) return undefined;
    const requestId = ++this.requests;
    return new Promise((resolve) => {
      const settle = (frame: Frame | undefined) => {
        clearTimeout(timer);
        this.waiting.delete(requestId);
        resolve(frame);
      };
      const timer = setTimeout(() => {
        this.log.violate("unanswered", `${this.name}: ${type} was not answered on an open socket`);
        socket.terminate();
      }, answerWithinMs);
      this.waiting.set(requestId, settle);
      socket.send(JSON.stringify({ type, params, requestId }));
    });
  }

  /** Asks for everything that differs, until there is no more. */
  catchUp(): Promise<void> {
    this.catchUpAgain = true;
    this.catchingUp ??= this.catchUpOn().finally(() => {
      this.catchingUp = undefined;
    });
    return this.catchingUp;
  }

  private async send(sent: Sent, to: { groupId: number } | { receiverId: number }): Promise<void> {
    sent.to = to;
    const type = "groupId" in to ? "messageInGroup" : "privateMessage";
    const { text: content, clientMessageId } = sent;
    const frame = await this.request(type, { ...to, content, clientMessageId });
    if (frame === undefined || frame.code === "UNAVAILABLE" || frame.code === "INTERNAL") {
      if (frame?.code === "INTERNAL") this.log.violate("unanswered", `${this.name}: INTERNAL: ${frame.message}`);
      this.log.counts.unknown++;
      this.unsettled.push(sent);
    } else if (frame.error) {
      this.log.counts.refused++;
      sent.outcome = "refused";
    } else {
      this.log.counts.acknowledged++;
      sent.outcome = "acknowledged";
      const { chatId, seq, messageId } = frame.params.item;
      Object.assign(sent, { chatId, seq, messageId });
    }
  }

  private async catchUpOn(): Promise<void> {
    for (let more = true; more || this.catchUpAgain; ) {
      this.catchUpAgain = false;
      const all = [...this.chats.values()];
      const chats = all.map(({ chatId, version, readSeq, clearedSeq, peerReadSeq }) =>
        peerReadSeq === undefined
          ? [chatId, version, readSeq, clearedSeq]
          : [chatId, version, readSeq, clearedSeq, peerReadSeq],
      );
      const frame = await this.request("sync", { chats });
      if (!frame || frame.error) return;
      this.log.counts.syncs++;
      more = frame.params.item.hasMore;
    }
    this.caughtUp = true;
  }

  /** In the order in which frames come: answers and pushes alike. */
  private take(frame: Frame): void {
    if (frame.params?.isBroadcast) this.hear(frame);
    else {
      if (frame.type === "sync" && frame.success) this.takeIn(frame.params.item);
      else if (frame.params?.item?.version !== undefined && !frame.params.item.duplicate)
        this.follow(frame.params.item, "answer");
      else if (frame.type === "markRead" && frame.success) this.mark(frame.params.item);
      this.waiting.get(frame.requestId)?.(frame);
    }
  }

  private hear(frame: Frame): void {
    this.log.counts.pushes++;
    const { item } = frame.params;
    if (frame.type === "markRead") this.mark(item);
    else if (item.version !== undefined) this.follow(item, "push");
  }

  private mark({ chatId, userId, readSeq }: { chatId: number; userId: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  /** The client rule: the next version is taken in, a smaller one ignored, after a greater one the chat is caught up. */
  private follow(item: MessageItem, how: "push" | "answer"): void {
    const { chatId, version, seq } = item;
    const before = this.told.get(chatId);
    if (before !== undefined && version <= before) {
      const violation = version === before ? "repeated" : "inversion";
      this.log.violate(violation, `${this.name}: chat ${chatId} version ${version} as ${how} after ${before}`);
    }
    this.told.set(chatId, Math.max(version, before ?? 0));
    if (how === "push") {
      this.log.pushed.push({ userId: this.userId, chatId, seq, version, isNew: !item.editedAt && !item.deletedAt });
    }
    const chat = this.chats.get(chatId);
    const leaves =
      (item.event?.kind === "memberLeft" && item.event.byUserId === this.userId) ||
      (item.event?.kind === "memberRemoved" && item.event.userId === this.userId) ||
      item.event?.kind === "groupDeleted";
    if (chat && leaves && version > chat.version) {
      this.chats.delete(chatId);
      return;
    }
    if (!chat || version > chat.version + 1) {
      // A chat it was in and whose versions it had been told one by one, all on this connection, must not have gaps.
      if (chat && this.caughtUp && before !== undefined && before === chat.version && !chat.partial) {
        this.log.violate("missed", `${this.name}: chat ${chatId} version ${version} came after ${chat.version}`);
      }
      void this.catchUp();
    } else if (version === chat.version + 1) {
      chat.version = version;
      chat.messages.set(seq, item);
      if (item.senderId === this.userId && !item.editedAt && !item.deletedAt)
        chat.readSeq = Math.max(chat.readSeq, seq);
    }
  }

  private takeIn({ chats, left, hasMore }: Frame): void {
    for (const chatId of left) this.chats.delete(chatId);
    for (const told of chats) {
      // What was pushed before the answer was committed before its snapshot; only a cut answer may know less.
      const before = this.told.get(told.chatId) ?? 0;
      if (told.version < before && !(hasMore && told === chats.at(-1))) {
        this.log.violate(
          "inversion",
          `${this.name}: chat ${told.chatId} synced at ${told.version} after ${before} was told`,
        );
      }
      const known = this.chats.get(told.chatId);
      // It was in the question, and has been left since: the answer holds only what came after. Ask anew.
      if (!known && !told.joined && !told.tooLong && !told.reset) {
        this.catchUpAgain = true;
        continue;
      }
      const afresh = told.tooLong || told.reset || !known;
      const messages: Map<number, MessageItem> = afresh ? new Map() : known.messages;
      for (const item of told.messages) messages.set(item.seq, item);
      for (const seq of messages.keys()) if (seq <= told.clearedSeq) messages.delete(seq);
      const { chatId, kind, version, readSeq, clearedSeq, peerReadSeq } = told;
      const partial = Boolean(told.tooLong || told.reset || (known?.partial ?? false));
      this.chats.set(chatId, { chatId, kind, version, readSeq, clearedSeq, peerReadSeq, messages, partial });
      this.told.set(chatId, Math.max(version, this.told.get(chatId) ?? 0));
    }
  }
}
