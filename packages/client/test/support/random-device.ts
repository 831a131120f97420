import { setTimeout as wait } from "node:timers/promises";
import type { ViolationKind } from "../../../../test/chaos/log.ts";
import { type Mentioned, mentionsIn } from "../../../../test/chaos/mentions.ts";
import type { Random } from "../../../../test/chaos/random.ts";
import { digestOf } from "../../../../test/chaos/uploads.ts";
import type { Chat, ChatSummary, Message, Messenger, OutgoingMessage, Timeline } from "../../src/index.ts";
import { type Disk, Program, type ProgramSettings } from "./simulated-device.ts";

/** A message that a device has written. */
export interface WrittenMessage {
  text: string;
  clientMessageId: string;
  userId: number;
  /** The device that wrote it, and its destination: both together must be stored in the order of writing. */
  lane: string;
  isStored: boolean;
  /** `sent`, or the code of the error with which it was refused. */
  outcome?: string;
  /** Of the contents of its files, in their order. */
  digests?: readonly string[];
  /** The program was killed, and its store does not keep the contents of files: the message fails with `FILE_LOST`. */
  mayLoseFiles?: boolean;
  /** The code with which it was shown as failed before it was retried or discarded. */
  failedWith?: string | undefined;
  /** It was stored, and a restored backup of the server's data does not contain it. */
  isUndone?: boolean;
}

/** What all devices have done, and what they should not have shown. */
export class RandomLog {
  readonly written: WrittenMessage[] = [];
  readonly violations: string[] = [];
  readonly counts: Record<string, number> = {};

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  report(details: string, _kind: ViolationKind = "incomplete"): void {
    if (this.violations.length < 50) this.violations.push(details);
  }

  /** Is called before a device deletes a message. */
  noteDeletion(_device: string, _messageId: number): void {}
}

export interface RandomUser {
  id: number;
  email: string;
  password: string;
}

export interface RandomRun extends ProgramSettings {
  readonly users: readonly RandomUser[];
  readonly log: RandomLog;
  readonly url: string;
}

interface Shown {
  readonly timeline: Timeline;
  readonly stop: () => void;
}

const maxTimelines = 4;

/** A device of a user that does random things, and checks what its timelines show. */
export class RandomDevice {
  private program: Program;
  private starting: Promise<unknown> = Promise.resolve();
  private textCount = 0;
  private readonly written: WrittenMessage[] = [];
  private shown: Shown[] = [];

  constructor(
    readonly name: string,
    readonly user: RandomUser,
    readonly disk: Disk,
    readonly random: Random,
    private readonly run: RandomRun,
  ) {
    this.program = this.newProgram();
  }

  get messenger(): Messenger {
    return this.program.messenger;
  }

  /** Begins with a log-in. */
  async login(): Promise<void> {
    const { email, password } = this.user;
    await this.messenger.login({ email, password });
  }

  /** Kills the program and starts another one with the same store. */
  async restart(): Promise<void> {
    this.run.log.count("restarts");
    this.kill();
    this.starting = this.startAgain();
    await this.starting;
  }

  private async startAgain(): Promise<void> {
    await this.disk.reopen();
    this.program = this.newProgram();
    // What the store has is shown before the network answers.
    await this.messenger.resume();
  }

  /**
   * Logs in again if the session is over. The server ends one whose refresh token comes again more than 30 seconds after
   * its answer was lost.
   */
  async stayLoggedIn(): Promise<void> {
    await this.starting;
    const { state } = this.messenger.connection.value;
    if (state !== "ended" && state !== "loggedOut") return;
    this.run.log.count("log-ins");
    this.noteLostContents();
    await this.login();
  }

  kill(): void {
    this.closeTimelines();
    this.program.kill();
    this.noteLostContents();
  }

  /** With the program, or its log-in, ends what only memory has of the messages that are not sent. */
  private noteLostContents(): void {
    if (this.disk.store.keepsBlobs) return;
    for (const written of this.written) if (written.digests) written.mayLoseFiles = true;
  }

  closeTimelines(): void {
    for (const { timeline, stop } of this.shown.splice(0)) {
      stop();
      timeline.close();
    }
  }

  disconnect(): void {
    this.program.disconnect();
  }

  stall(ms: number): void {
    this.program.stall(ms);
  }

  /** Does one random thing. */
  async act(): Promise<void> {
    const { log } = this.run;
    log.count("actions");
    const action = this.pickAction();
    const act = async () => {
      await this.stayLoggedIn();
      await action.call(this);
    };
    try {
      await this.starting;
      // What a killed program has begun does not end.
      await Promise.race([act(), this.program.over]);
    } catch (error) {
      const { name, code, stack } = error as Error & { code?: string };
      if (name === "MessengerError") log.count(`rejected ${code}`);
      else log.report(`${this.name}: ${stack}`, "unhandled");
    }
  }

  private pickAction(): (this: RandomDevice) => Promise<void> | void {
    const total = weightedActions.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.random.next() * total;
    for (const [weight, action] of weightedActions) {
      left -= weight;
      if (left < 0) return action;
    }
    return this.sendOne;
  }

  sendOne(): void {
    this.send(this.anyChat());
  }

  sendBurst(): void {
    const chat = this.anyChat();
    for (let count = this.random.between(2, 15); count > 0; count--) this.send(chat);
  }

  reply(): void {
    const found = this.anyMessage(() => true);
    if (found) this.send(found.chat, { replyTo: found.message.messageId ?? 0 });
  }

  /** Sends a message with one or two files. */
  sendFiles(): void {
    const contents = Array.from({ length: this.random.between(1, 2) }, () => this.newContent());
    this.send(this.anyChat(), { contents });
    this.run.log.count("withFiles");
  }

  /** The content of a new file: usually of a few KiB, sometimes of some hundred. */
  private newContent(): string {
    const repetitions = this.random.between(1, 200) * (this.random.chance(0.1) ? 50 : 1);
    return `file ${++this.textCount} of ${this.name} `.repeat(repetitions);
  }

  forward(): void {
    const found = this.anyMessage(() => true);
    if (!found) return;
    this.write(this.anyChat(), `${this.name} forwards ${++this.textCount}`, (chat) => chat.forward(found.message));
    this.run.log.count("forwards");
  }

  async edit(): Promise<void> {
    const found = this.anyMessage(({ isMine }) => isMine);
    if (!found) return;
    const { chat, message } = found;
    const text = `${this.name} edits ${++this.textCount}`;
    await chat.edit(message.messageId ?? 0, text, this.pickMentioned(chat, text));
    this.run.log.count("edits");
  }

  async delete(): Promise<void> {
    const found = this.anyMessage(({ isMine }) => isMine);
    if (!found) return;
    const messageId = found.message.messageId ?? 0;
    this.run.log.noteDeletion(this.name, messageId);
    await found.chat.delete(messageId);
    this.run.log.count("deletions");
  }

  async react(): Promise<void> {
    const found = this.anyMessage(() => true);
    if (!found) return;
    const emoji = this.random.pick(["👍", "❤️", "🎉"]) ?? "👍";
    await found.chat.react(found.message.messageId ?? 0, emoji, this.random.chance(0.7));
    this.run.log.count("reactions");
  }

  async pin(): Promise<void> {
    const found = this.anyMessage(() => true);
    await found?.chat.pin(found.message.messageId ?? 0, this.random.chance(0.7));
    this.run.log.count("pins");
  }

  markRead(): void {
    const chat = this.knownChat();
    if (!chat) return;
    const timeline = chat.timeline();
    chat.markRead(this.random.chance(0.5) ? undefined : this.random.pick(timeline.value.messages)?.seq);
    timeline.close();
  }

  async clear(): Promise<void> {
    await this.knownChat("dialog")?.clear();
  }

  retryOrDiscard(): void {
    const failed = this.shown.flatMap(({ timeline }) =>
      timeline.value.messages.filter(({ state }) => state === "failed"),
    );
    const message = this.random.pick(failed);
    if (!message) return;
    const written = this.run.log.written.find(({ clientMessageId }) => clientMessageId === message.clientMessageId);
    if (written) written.failedWith ??= message.error?.code;
    if (this.random.chance(0.5)) {
      // It is sent after later ones.
      if (written) Object.assign(written, { lane: `retried ${message.key}`, outcome: undefined });
      message.retry?.();
    } else {
      if (written) written.outcome = "DISCARDED";
      message.discard?.();
    }
  }

  /** Changes the settings or the draft of a chat. */
  async changeSettings(): Promise<void> {
    const chat = this.knownChat();
    const on = this.random.chance(0.6);
    const change = this.random.pick([
      () => chat?.mute(on ? undefined : new Date(0)),
      () => chat?.setLevel(this.random.pick(["all", "mentions", "none"] as const) ?? "all"),
      () => chat?.archive(on),
      () => chat?.setPinned(on),
      () => chat?.markUnread(on),
      () => chat?.setDraft(on ? `${this.name} drafts ${++this.textCount}` : ""),
    ]);
    await change?.();
    this.run.log.count("settings");
  }

  async changePreferences(): Promise<void> {
    await this.messenger.setPreferences({ [this.name]: this.random.chance(0.8) ? ++this.textCount : null });
    this.run.log.count("preferences");
  }

  async createGroup(): Promise<void> {
    const userIds = this.run.users.filter(() => this.random.chance(0.6)).map(({ id }) => id);
    await this.messenger.createGroup({
      name: `group of ${this.name}`,
      userIds: userIds.filter((id) => id !== this.user.id),
    });
  }

  async changeGroup(): Promise<void> {
    const chat = this.knownChat("group");
    const userId = this.random.pick(this.run.users)?.id ?? 0;
    const change = this.random.pick([
      () => chat?.add(userId),
      () => chat?.add(userId),
      () => chat?.add(userId),
      () => chat?.remove(userId),
      () => chat?.setRole(userId, this.random.chance(0.5) ? "admin" : "member"),
      () => chat?.rename(`${this.name} ${this.random.between(1, 1000)}`),
      () => (this.random.chance(0.2) ? chat?.leave() : undefined),
    ]);
    await change?.();
  }

  openTimeline(): void {
    const chat = this.knownChat();
    if (!chat) return;
    this.run.log.count("timelines");
    const seq = this.random.between(1, Math.max(1, chat.summary.value.lastSeq));
    const at = this.random.pick(["newest", "unread", { seq }] as const) ?? "newest";
    const timeline = chat.timeline({ at, maxSize: this.random.pick([100, 300]) ?? 300 });
    const stop = timeline.subscribe(({ messages }) => this.checkShown(chat, messages));
    this.shown.push({ timeline, stop });
    if (this.shown.length <= maxTimelines) return;
    const [oldest] = this.shown.splice(0, 1);
    oldest?.stop();
    oldest?.timeline.close();
  }

  async moveTimeline(): Promise<void> {
    const shown = this.random.pick(this.shown);
    if (!shown) return;
    this.run.log.count("moves");
    await (this.random.chance(0.6) ? shown.timeline.loadOlder() : shown.timeline.loadNewer());
  }

  disconnectSometimes(): void {
    this.disconnect();
  }

  private send(chat: Chat, { contents, ...more }: { replyTo?: number; contents?: readonly string[] } = {}): void {
    const text = `${this.name} writes ${++this.textCount}`;
    const mentioned = this.pickMentioned(chat, text);
    const files = contents?.map((content, index) => new File([content], `${index}.txt`));
    const written = this.write(chat, text, () => chat.send(text, { ...mentioned, ...more, ...(files && { files }) }));
    if (contents) written.digests = contents.map((content) => digestOf(Buffer.from(content)));
  }

  /** The mentions of a new text, which are usually none. */
  private pickMentioned({ kind }: Chat, text: string): Mentioned {
    if (!this.random.chance(0.3)) return {};
    this.run.log.count("mentions");
    if (kind === "group" && this.random.chance(0.2)) return { mentionsAll: true };
    const userIds = this.run.users.filter(() => this.random.chance(0.3)).map(({ id }) => id);
    return { mentions: mentionsIn(text, userIds) };
  }

  /** Writes a message and notes it. @param text names it; of a forwarded message it is not the text */
  private write(chat: Chat, text: string, work: (chat: Chat) => OutgoingMessage): WrittenMessage {
    const { log } = this.run;
    const message = work(chat);
    const lane = `${this.name} to ${chat.peerId === undefined ? `group ${chat.id}` : chat.peerId}`;
    const { clientMessageId } = message;
    const written: WrittenMessage = { text, clientMessageId, userId: this.user.id, lane, isStored: false };
    log.written.push(written);
    this.written.push(written);
    message.stored.then(
      () => {
        written.isStored = true;
      },
      (error) => log.report(`${this.name}: "${text}" was not stored: ${error}`, "lost"),
    );
    message.sent.then(
      () => {
        written.outcome = "sent";
      },
      ({ code }) => {
        written.outcome = code;
      },
    );
    return written;
  }

  /** A chat of the list, or a dialog with any user. */
  private anyChat(): Chat {
    const known = this.knownChat();
    if (known && this.random.chance(0.8)) return known;
    return this.messenger.dialogWith(this.random.pick(this.run.users)?.id ?? this.user.id);
  }

  private knownChat(kind?: "dialog" | "group"): Chat | undefined {
    const found = this.messenger.chats.value.filter((chat) => kind === undefined || chat.kind === kind);
    const chat = this.random.pick(found);
    return chat && chatOf(this.messenger, chat);
  }

  private anyMessage(matches: (message: Message) => boolean): { chat: Chat; message: Message } | undefined {
    const chat = this.knownChat();
    const timeline = chat?.timeline();
    const messages = timeline?.value.messages ?? [];
    const usable = ({ messageId, notification, deletedAt }: Message) =>
      messageId !== undefined && !notification && !deletedAt;
    const message = this.random.pick(messages.filter((one) => usable(one) && matches(one)));
    timeline?.close();
    return chat && message && { chat, message };
  }

  private checkShown(chat: Chat, messages: readonly Message[]): void {
    for (const fault of faultsOf(messages)) {
      this.run.log.report(`${this.name}: chat ${chat.id}: ${fault}`, "inconsistent");
    }
  }

  private newProgram(): Program {
    return new Program(this.run.url, this.disk, {}, this.run);
  }
}

/** The handle of a listed chat. */
export const chatOf = (messenger: Messenger, { id, peer }: ChatSummary): Chat =>
  peer ? messenger.dialogWith(peer.id) : messenger.chat(id ?? 0);

/** What is wrong with the messages of a timeline, whatever happened: a hole, another order, a message twice. */
export function faultsOf(messages: readonly Message[]): string[] {
  const faults: string[] = [];
  const sent = messages.filter(({ state }) => state === "sent");
  const seqs = sent.flatMap(({ seq }) => seq ?? []);
  const hole = seqs.findIndex((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1);
  if (hole > 0) faults.push(`seq ${seqs[hole]} follows ${seqs[hole - 1]}`);
  const firstUnsent = messages.findIndex(({ state }) => state !== "sent");
  if (firstUnsent >= 0 && messages.slice(firstUnsent).some(({ seq }) => seq !== undefined)) {
    faults.push("a message of the server follows an unsent one");
  }
  if (new Set(messages.map(({ key }) => key)).size !== messages.length) faults.push("a key occurs twice");
  const texts = messages
    .filter(({ isMine, notification, forwarded, text }) => isMine && !notification && !forwarded && text !== "")
    .map(({ text }) => text);
  if (new Set(texts).size !== texts.length) faults.push("a message occurs twice");
  return faults;
}

const { prototype } = RandomDevice;

/** The actions and their relative frequencies. */
const weightedActions: readonly [weight: number, action: (this: RandomDevice) => Promise<void> | void][] = [
  [25, prototype.sendOne],
  [10, prototype.sendBurst],
  [6, prototype.reply],
  [4, prototype.forward],
  [3, prototype.sendFiles],
  [9, prototype.edit],
  [5, prototype.delete],
  [8, prototype.react],
  [3, prototype.pin],
  [8, prototype.markRead],
  [0.5, prototype.clear],
  [5, prototype.changeSettings],
  [1, prototype.changePreferences],
  [4, prototype.retryOrDiscard],
  [0.5, prototype.createGroup],
  [5, prototype.changeGroup],
  [5, prototype.openTimeline],
  [14, prototype.moveTimeline],
  [1.5, prototype.disconnectSometimes],
  [1.5, prototype.restart],
];

/** Does random things until there were enough in all, or it takes too long. */
export async function actUntil(device: RandomDevice, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    // Requests wait for a lost connection to come back.
    await Promise.race([device.act(), wait(500)]);
    await wait(device.random.between(0, 100));
  }
}
