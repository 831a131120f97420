import { setTimeout as wait } from "node:timers/promises";
import { checkFound } from "./check-index.ts";
import { ClientSocket } from "./client-socket.ts";
import { DeliveryChecker, type Frame } from "./delivery-checker.ts";
import { HistoryReader } from "./history-reader.ts";
import { HttpDevice } from "./http-device.ts";
import type { Destination, Log, SentMessage } from "./log.ts";
import { type Mentioned, mentionsIn } from "./mentions.ts";
import type { KeyValue } from "./personal-state.ts";
import type { Random } from "./random.ts";
import type { ClientRules, Replica } from "./replica.ts";

/** Longest pause after an answer that asks for one, in milliseconds. */
const maxPauseMs = 300;

/** What a new message has beside its text. */
type NewMessage = Pick<SentMessage, "replyTo" | "forwards" | "fileIds" | "mentionsAll"> & {
  mentionedIds?: readonly number[] | undefined;
};

/** What an edit makes of a message. */
export type Edit = { content: string } & Mentioned;

/** One device of a user. It keeps its replica over disconnections and logs what it sends and receives. */
export class ChaosClient {
  private readonly checker: DeliveryChecker;
  private socket: ClientSocket | undefined;
  private textCount = 0;
  private runningSync: Promise<void> | undefined;
  private syncAgain = false;
  private offlineUntil = 0;
  /** Sends with an unknown outcome, to be sent again. */
  readonly unconfirmed: SentMessage[] = [];
  private readonly acknowledged: SentMessage[] = [];
  readonly history: HistoryReader;
  readonly http: HttpDevice;
  /** The groups created by this device. */
  readonly createdGroups: number[] = [];

  constructor(
    readonly name: string,
    readonly userId: number,
    private readonly token: string,
    private readonly log: Log,
    readonly random: Random,
    rules?: ClientRules,
  ) {
    this.checker = new DeliveryChecker(this, log, () => void this.sync(), rules);
    const request = (type: string, params: object) => this.request(type, params);
    this.history = new HistoryReader({ userId, checker: this.checker, log, random, request });
    this.http = new HttpDevice({ name, userId, token, log, random });
  }

  get replica(): Replica {
    return this.checker.replica;
  }

  /** Describes the acknowledged changes that this device should have received by now and has not. */
  missing(): string[] {
    return this.checker.missing();
  }

  get connected(): boolean {
    return this.socket?.isOpen ?? false;
  }

  /** Whether frames may still arrive. */
  get hasSocket(): boolean {
    return this.socket !== undefined;
  }

  get mayConnect(): boolean {
    return Date.now() >= this.offlineUntil;
  }

  /** Does not connect for some time. */
  stayOffline(ms: number): void {
    this.offlineUntil = Date.now() + ms;
  }

  /** Opens a socket of the user, beside that of this device. @returns undefined if the server cannot be reached */
  openSocket(port: number): Promise<ClientSocket | undefined> {
    return ClientSocket.open(port, this.token, (type) =>
      this.log.reportViolation("unanswered", `${this.name}: ${type} had no response on an open socket`),
    );
  }

  /** Opens a socket and syncs. @returns false if the server cannot be reached */
  async connect(port: number): Promise<boolean> {
    const socket = await this.openSocket(port);
    if (!socket) return false;
    this.log.counts.connections++;
    this.socket = socket;
    this.checker.startConnection();
    const onClose = () => {
      if (this.socket === socket) this.socket = undefined;
    };
    socket.listen((frame) => this.receive(frame), onClose);
    await this.sync();
    return this.connected;
  }

  /** Terminates the connection without a closing handshake. */
  disconnect(): void {
    this.socket?.terminate();
  }

  /** Stops reading the socket for a while. */
  stall(ms: number): void {
    this.checker.pauseUntil(Date.now() + ms);
    this.socket?.stall(ms);
  }

  close(): void {
    this.socket?.close();
  }

  /** Sends a new message: a reply, a forwarded one, or one that is neither. */
  async sendNew(to: Destination, { mentionedIds, ...more }: NewMessage = {}): Promise<SentMessage> {
    const text = `${this.name} sends ${++this.textCount}`;
    const mentions = mentionedIds && mentionsIn(text, mentionedIds);
    const sent: SentMessage = {
      text,
      clientMessageId: `${this.name}-${this.textCount}`.padEnd(8, "."),
      senderId: this.userId,
      outcome: "unknown",
      to,
      ...more,
      ...(mentions && { mentions }),
    };
    if (mentions || more.mentionsAll) this.log.counts.mentions++;
    for (const id of more.fileIds ?? []) {
      const upload = this.log.uploads.get(id);
      if (upload) upload.isSent = true;
    }
    this.log.sent.set(text, sent);
    await this.send(sent);
    return sent;
  }

  /** Sends a message with an unknown outcome again. */
  async resendUnconfirmed(): Promise<void> {
    const sent = this.unconfirmed.shift();
    if (!sent) return;
    this.log.counts.resent++;
    await this.send(sent);
  }

  /** Sends an acknowledged message again: the response must have the ids of the first one, whatever happened since. */
  async repeatAcknowledged(): Promise<void> {
    const sent = this.random.pick(this.acknowledged);
    if (sent?.outcome !== "acknowledged") return;
    const frame = await this.requestSend(sent);
    if (!frame || frame.code === "UNAVAILABLE") return;
    this.log.counts.repeatedSends++;
    const report = (details: string) =>
      this.log.reportViolation("duplicate", `"${sent.text}" was acknowledged and then ${details}`);
    const item = frame.params?.item;
    if (frame.error) report(`rejected with ${frame.code}`);
    else if (!item.duplicate || item.messageId !== sent.messageId || item.seq !== sent.seq) {
      report(`stored as message ${item.messageId} instead of ${sent.messageId}`);
    }
  }

  /** Edits or deletes a message, and logs the change if it is acknowledged. */
  async revise(messageId: number, revision: Edit | "deletion"): Promise<void> {
    const isDeletion = revision === "deletion";
    const { content, ...mentioned } = isDeletion ? { content: "" } : revision;
    this.log.requestedRevisions.add(this.name, { messageId, content, isDeletion });
    const frame = isDeletion
      ? await this.request("deleteMessage", { messageId })
      : await this.request("editMessage", { messageId, content, ...mentioned });
    if (!frame?.success) return;
    if (isDeletion) this.log.counts.deletions++;
    else this.log.counts.edits++;
    const { chatId, version } = frame.params.item;
    this.log.revisions.push({ chatId, messageId, version, content, isDeletion, mentioned });
  }

  /** Searches all chats of the user, and checks what is found. @returns undefined without an answer */
  async search(query: string): Promise<{ behind: boolean } | undefined> {
    const frame = await this.request("searchMessages", { query, limit: 50 });
    if (!frame?.success) return undefined;
    this.log.counts.searches++;
    checkFound(frame.params.data, query.toLowerCase().split(" "), this.log);
    return frame.params.item;
  }

  /** Sets or removes a reaction, or without an emoji the pin, and logs it if it is acknowledged. */
  async mark(messageId: number, { emoji, on }: { emoji?: string | undefined; on: boolean }): Promise<void> {
    const { userId } = this;
    const kind = emoji === undefined ? "pin" : "reaction";
    this.log.requestedRevisions.addMark(this.name, { messageId, userId, kind });
    const frame =
      emoji === undefined
        ? await this.request("pinMessage", { messageId, on })
        : await this.request("react", { messageId, emoji, on });
    if (!frame?.success) return;
    this.log.counts[kind === "pin" ? "pins" : "reactions"]++;
    const { chatId, version } = frame.params.item;
    this.log.marks.push({ chatId, messageId, version, userId, emoji, on });
  }

  /** Sets a key of the personal state, or removes it. The answer is logged when it is received. */
  async setState(state: KeyValue): Promise<void> {
    const frame = await this.request("setState", state);
    if (frame?.success) this.log.counts.states++;
  }

  async request(type: string, params: object): Promise<Frame | undefined> {
    if (!this.socket) return undefined;
    const answered = this.log.responseTimes.begin();
    return this.socket.request(type, params).finally(answered);
  }

  /** Syncs until the response is complete. During a running sync, another one follows it. */
  sync(): Promise<void> {
    this.syncAgain = true;
    this.runningSync ??= this.syncUntilComplete().finally(() => {
      this.runningSync = undefined;
    });
    return this.runningSync;
  }

  private requestSend(sent: SentMessage): Promise<Frame | undefined> {
    const { to, text, clientMessageId, replyTo, forwards, fileIds, mentions, mentionsAll } = sent;
    if ("newGroup" in to) return this.request("newGroup", { groupName: text, clientMessageId });
    if (forwards) return this.request("forwardMessage", { ...to, messageId: forwards.messageId, clientMessageId });
    const type = "groupId" in to ? "messageInGroup" : "privateMessage";
    return this.request(type, {
      ...to,
      content: text,
      clientMessageId,
      ...(replyTo !== undefined && { replyTo }),
      ...(fileIds && { fileIds }),
      ...(mentions && { mentions }),
      ...(mentionsAll && { mentionsAll }),
    });
  }

  private async send(sent: SentMessage): Promise<void> {
    const frame = await this.requestSend(sent);
    if (frame === undefined || frame.code === "UNAVAILABLE" || frame.code === "INTERNAL") {
      if (frame?.code === "INTERNAL")
        this.log.reportViolation("unanswered", `${this.name}: INTERNAL: ${frame.message}`);
      this.log.counts.unknown++;
      this.unconfirmed.push(sent);
      // Clients wait before they go on, and so does this one, if only for a moment.
      if (frame?.retryAfterMs) await wait(Math.min(frame.retryAfterMs, maxPauseMs));
    } else if (frame.error) {
      this.log.counts.rejected++;
      sent.outcome = "rejected";
    } else {
      this.log.counts.acknowledged++;
      sent.outcome = "acknowledged";
      const { chatId, seq, messageId } = frame.params.item;
      Object.assign(sent, { chatId, seq, messageId });
      this.acknowledged.push(sent);
    }
  }

  private async syncUntilComplete(): Promise<void> {
    for (let more = true; more || this.syncAgain; ) {
      this.syncAgain = false;
      // Some clients want only the newest messages of chats that they do not know.
      const newest = this.random.chance(0.2) ? { newest: this.random.between(0, 50) } : {};
      const frame = await this.request("sync", { ...this.checker.startSync(), ...newest });
      if (!frame || frame.error) return;
      this.log.counts.syncs++;
      more = frame.params.item.hasMore;
    }
    this.checker.completeSync();
  }

  private receive(frame: Frame): void {
    this.checker.receive(frame);
    if (frame.params?.isBroadcast) this.log.counts.pushes++;
  }
}
