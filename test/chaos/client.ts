import { WebSocket } from "ws";
import type { Log, Sent } from "./log.ts";
import type { Random } from "./random.ts";
import { type Frame, Replica } from "./replica.ts";

const answerWithinMs = 20_000;

/** Where a message goes, and what it answers. */
export type Address = { groupId: number } | { receiverId: number };

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
    this.replica.noteStall(Date.now() + ms);
    setTimeout(() => socket?.resume(), ms);
  }

  close(): void {
    this.socket?.close();
  }

  /** Says something nobody has said before. @param replyTo the message that it answers */
  say(to: Address, replyTo?: number): Promise<void> {
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
    return this.send(sent);
  }

  /** Sends again what may or may not have arrived. */
  async sayAgain(): Promise<void> {
    const sent = this.unsettled.shift();
    if (!sent) return;
    this.log.counts.resent++;
    await this.send(sent);
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

  private async send(sent: Sent): Promise<void> {
    const { to, text: content, clientMessageId, replyTo } = sent;
    const type = "groupId" in to ? "messageInGroup" : "privateMessage";
    const frame = await this.request(type, {
      ...to,
      content,
      clientMessageId,
      ...(replyTo !== undefined && { replyTo }),
    });
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
