import { WebSocket } from "ws";
import { recordFrame } from "../support/leak-scan.ts";
import type { Address, Log, PageRow, Sent } from "./log.ts";
import type { Random } from "./random.ts";
import { type Frame, type LocalChat, Replica } from "./replica.ts";

const answerWithinMs = 20_000;

/** One device of one person. Connects, catches up, acts, is cut off, and comes back; keeps what it knows meanwhile. */
export class ChaosClient {
  readonly replica: Replica;
  private socket: WebSocket | undefined;
  private waiting = new Map<number, (frame: Frame | undefined) => void>();
  private requests = 0;
  private texts = 0;
  private catchingUp: Promise<void> | undefined;
  private catchUpAgain = false;
  /** Sends whose outcome is unknown, to be sent again. */
  readonly unsettled: Sent[] = [];
  private readonly settled: Sent[] = [];
  /** The groups that this device has made. */
  readonly madeGroups: number[] = [];

  constructor(
    readonly name: string,
    readonly userId: number,
    private readonly token: string,
    private readonly log: Log,
    readonly random: Random,
  ) {
    this.replica = new Replica(this, log, () => void this.catchUp());
  }

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
    this.replica.startConnection();
    socket.on("message", (data) => {
      recordFrame(String(data));
      this.take(JSON.parse(String(data)));
    });
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
    this.replica.noteStall(Date.now() + ms);
    setTimeout(() => socket?.resume(), ms);
  }

  close(): void {
    this.socket?.close();
  }

  /** Says something nobody has said before. @param replyTo the message that it answers */
  async say(to: Address, replyTo?: number): Promise<Sent> {
    const text = `${this.name} says ${++this.texts}`;
    const sent: Sent = {
      text,
      clientMessageId: `${this.name}-${this.texts}`.padEnd(8, "."),
      senderId: this.userId,
      outcome: "unknown",
      to,
      ...(replyTo !== undefined && { replyTo }),
    };
    this.log.sent.set(text, sent);
    await this.send(sent);
    return sent;
  }

  /** Sends again what may or may not have arrived. */
  async sayAgain(): Promise<void> {
    const sent = this.unsettled.shift();
    if (!sent) return;
    this.log.counts.resent++;
    await this.send(sent);
  }

  /** Sends once more what was acknowledged: whatever has happened since, that was it. */
  async repeat(): Promise<void> {
    const sent = this.random.pick(this.settled);
    const frame = sent && (await this.ask(sent));
    if (!frame || frame.code === "UNAVAILABLE") return;
    this.log.counts.repeats++;
    const wrong = (what: string) => this.log.violate("duplicate", `"${sent.text}" was acknowledged, and then ${what}`);
    const item = frame.params?.item;
    if (frame.error) wrong(`refused as ${frame.code}`);
    else if (!item.duplicate || item.messageId !== sent.messageId || item.seq !== sent.seq) {
      wrong(`stored as message ${item.messageId} instead of ${sent.messageId}`);
    }
  }

  /** Changes a message, and notes that if it is acknowledged. */
  async revise(messageId: number, revision: { content: string } | "deletion"): Promise<void> {
    const isDeletion = revision === "deletion";
    const content = isDeletion ? "" : revision.content;
    const frame = isDeletion
      ? await this.request("deleteMessage", { messageId })
      : await this.request("editMessage", { messageId, content });
    if (!frame?.success) return;
    if (isDeletion) this.log.counts.deletions++;
    else this.log.counts.edits++;
    const { chatId, version } = frame.params.item;
    this.log.revisions.push({ chatId, messageId, version, content, isDeletion });
  }

  /** Reads a page of a chat around a place, and perhaps the one before it; all of it in a row. */
  async readAround(chat: LocalChat, place: { before?: number; after?: number; around?: number }): Promise<void> {
    const { chatId } = chat;
    const page = await this.readPage(chat, "getMessages", { chatId, limit: 30, ...place });
    const first = page?.[0]?.seq ?? 1;
    const goesOn = first > 1 && place.after === undefined && this.random.chance(0.5);
    const older = goesOn ? await this.readPage(chat, "getMessages", { chatId, limit: 30, before: first }) : [];
    if (!page || !older) return;
    const isNewest = Object.keys(place).length === 0;
    this.log.pages.push({ userId: this.userId, chatId, rows: [...older, ...page], isNewest });
  }

  /** Reads a page of a group, whether or not it is in there, or of the dialog with somebody: the newest is number 1. */
  async readLatest(of: { groupId: number } | { receiverId: number }, page: number): Promise<void> {
    const chats = [...this.replica.chats.values()];
    const isGroup = "groupId" in of;
    const chat = chats.find(({ chatId, peerId }) => (isGroup ? chatId === of.groupId : peerId === of.receiverId));
    const type = isGroup ? "getlatestMessageGroup" : "getlatestMessageDialog";
    const chatId = isGroup ? of.groupId : chat?.chatId;
    const rows = await this.readPage(chat, type, { ...of, limit: 20, page });
    if (!rows || chatId === undefined) return;
    this.log.pages.push({ userId: this.userId, chatId, rows: rows.toReversed(), isNewest: page === 1 });
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

  /** A page as all of its kinds have it; compares it with what this device knew when it asked. */
  private async readPage(chat: LocalChat | undefined, type: string, params: object): Promise<PageRow[] | undefined> {
    const compare = chat && this.replica.expectPage(chat);
    const frame = await this.request(type, params);
    if (!frame?.success) return undefined;
    this.log.counts.pages++;
    const rows: PageRow[] = frame.params.data.map((row: Frame) => ({
      seq: row.seq,
      version: row.version,
      messageId: row.messageId ?? row.id,
      senderId: row.senderId ?? row.sender_id,
      message: row.message ?? row.content,
    }));
    compare?.(rows);
    return rows;
  }

  private ask({ to, text, clientMessageId, replyTo }: Sent): Promise<Frame | undefined> {
    if ("newGroup" in to) return this.request("newGroup", { groupName: text, clientMessageId });
    const type = "groupId" in to ? "messageInGroup" : "privateMessage";
    return this.request(type, {
      ...to,
      content: text,
      clientMessageId,
      ...(replyTo !== undefined && { replyTo }),
    });
  }

  private async send(sent: Sent): Promise<void> {
    const frame = await this.ask(sent);
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
      this.settled.push(sent);
    }
  }

  private async catchUpOn(): Promise<void> {
    for (let more = true; more || this.catchUpAgain; ) {
      this.catchUpAgain = false;
      const frame = await this.request("sync", { chats: this.replica.question() });
      if (!frame || frame.error) return;
      this.log.counts.syncs++;
      more = frame.params.item.hasMore;
    }
    this.replica.noteCaughtUp();
  }

  /** In the order in which frames come: answers and pushes alike. */
  private take(frame: Frame): void {
    this.replica.take(frame);
    if (frame.params?.isBroadcast) this.log.counts.pushes++;
    else this.waiting.get(frame.requestId)?.(frame);
  }
}
