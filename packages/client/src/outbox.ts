import { Backoff, wait } from "./backoff.ts";
import { Deferred } from "./deferred.ts";
import { MessengerError, toMessengerError } from "./errors.ts";
import { continueAfter, uuid } from "./ids.ts";
import type { MentionedPeople } from "./mentions.ts";
import type { StatePatch } from "./personal-state.ts";
import type { MessageItem, Requests } from "./protocol.ts";
import type { Json, StorePart } from "./store.ts";
import type { UnsentFile, Uploads } from "./uploads.ts";

/** Where a message is sent. */
export type Destination = { receiverId: number } | { groupId: number };

/** A message of this user that is not known to be stored by the server. */
export interface UnsentMessage extends MentionedPeople {
  clientMessageId: string;
  to: Destination;
  content: string;
  /** The id of the message it replies to. */
  replyTo?: number;
  /** The message of any chat that it forwards, and its first author. */
  forwardOf?: { messageId: number; author: NonNullable<MessageItem["forwarded"]> };
  files?: UnsentFile[];
  /** Milliseconds since 1970, by the device's clock. */
  writtenAt: number;
}

/** A change that is repeated until the server has accepted or refused it. Repeating it has no further effect. */
export type Change =
  | { [T in ChangeType]: { type: T; params: Requests[T]["params"] } }[ChangeType]
  /** The value is made when it is sent: other devices may have changed the key meanwhile. */
  | { type: "setState"; params: { key: string; patch: StatePatch } };

type ChangeType = "editMessage" | "deleteMessage" | "react" | "pinMessage" | "markRead" | "clearDialog";

/** Why a message or change was refused. */
export interface Refusal {
  code: string;
  message: string;
  field?: string;
}

/** What is stored under the entry's key. */
type EntryContent = { failure?: Refusal } & ({ message: UnsentMessage } | { change: Change; lane: string });

/** `sent`: the server has it, and the replica is about to receive it. */
export type EntryState = "queued" | "sending" | "sent" | "failed";

/** Something that is to be sent. Entries are sent in the order of their keys, those of one lane one after the other. */
export class Entry {
  state: EntryState = "queued";
  /** It is in the store. */
  isStored = false;
  /** When another tab was found to have removed it from the store: it was sent there, or discarded. */
  goneAt: number | undefined;
  /** Counts what changes beside the state: the progress of uploads. */
  revision = 0;
  /** The keys of its files that are uploaded. */
  readonly uploaded = new Set<string>();
  readonly storing = new Deferred<void>();
  /** The attempts since it was added or retried. */
  sending = new Deferred<MessageItem | undefined>();

  constructor(
    readonly key: string,
    readonly content: EntryContent,
  ) {
    if (content.failure) this.state = "failed";
  }

  get message(): UnsentMessage | undefined {
    return "message" in this.content ? this.content.message : undefined;
  }

  get lane(): string {
    return "message" in this.content ? laneOf(this.content.message.to) : this.content.lane;
  }
}

export const laneOf = (to: Destination): string => ("groupId" in to ? `group ${to.groupId}` : `user ${to.receiverId}`);

type SendRequest = <T extends keyof Requests>(
  type: T,
  params: Requests[T]["params"],
) => Promise<{ item: Requests[T]["item"] }>;

const prefix = "outbox/";
const maxLanes = 16;
/** How often the store is read for the entries of other tabs while there is something to send, in milliseconds. */
const reloadMs = 1000;
/** How often it is read otherwise. */
const pollMs = 10_000;
const retryMs = 1000;
/**
 * The time between two sends grows by so much with each rejection by the rate limit, and shrinks by this factor with each
 * success: it finds the rate that the server allows (additive increase, multiplicative decrease, as in TCP).
 */
const maxSpacingStepMs = 50;
const spacingDecay = 0.95;

/**
 * Everything that this user wants to change and the server has not confirmed. Entries are stored before they are sent, and
 * repeated with the same id until they are confirmed or refused. Tabs that share a store send one at a time.
 */
export class Outbox {
  private readonly entries = new Map<string, Entry>();
  private request: SendRequest | undefined;
  /** Messages that the server has and the replica does not have yet: they stay visible. */
  private readonly arriving = new Map<Entry, MessageItem>();
  /** Keys whose removal from the store is not complete. */
  private readonly removing = new Set<string>();
  private isFlushing = false;
  private added = new Deferred<void>();
  private pausedUntil = 0;
  /** The time between two sends since the rate limit was exceeded, and when it was found. */
  private spacingMs = 0;
  private limitedAt = 0;
  /** Ends the waiting of the lanes when the connection is lost. */
  private lost: Promise<void> = Promise.resolve();
  private endWaiting: () => void = () => {};
  private lastReloadAt = 0;
  private pollTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly options: {
      store: StorePart;
      uploads: Uploads;
      /** Is called when an entry was added, removed, or changed its state. */
      onUpdate(entry: Entry): void;
      /** The value of a key of the personal state after a patch. */
      patchedState(key: string, patch: StatePatch): Json;
      /** Is called when the store fails. */
      onStoreFailure(error: unknown): void;
    },
  ) {}

  /** The messages of a lane that the replica does not have, in order. */
  messagesOf(lane: string): Entry[] {
    const all = [...this.arriving.keys(), ...this.entries.values()];
    return all.filter((entry) => entry.message && entry.lane === lane);
  }

  /** All entries, in order. */
  get all(): Entry[] {
    return [...this.entries.values()];
  }

  /** Reads what an earlier run has left in the store. */
  async load(): Promise<void> {
    await this.reload();
  }

  /** Forgets all entries, which stay in the store. */
  clear(): void {
    const all = [...this.arriving.keys(), ...this.entries.values()];
    this.entries.clear();
    this.arriving.clear();
    for (const entry of all) this.options.onUpdate(entry);
  }

  /** Adds a message: stores it, then sends it. @param contents those of its files */
  addMessage(message: UnsentMessage, contents: readonly Blob[] = []): Entry {
    const { uploads } = this.options;
    const kept = message.files?.map((file, index) => uploads.keep(file, contents[index] ?? new Blob()));
    return this.add({ message }, kept && Promise.all(kept));
  }

  /** Adds a change. An unsent one with the same purpose is replaced, or joined with it. */
  addChange(added: Change): Entry {
    let change = added;
    const lane = purposeOf(change);
    for (const entry of this.all) {
      const isReplaced = "change" in entry.content && entry.lane === lane && entry.state === "queued";
      if (!isReplaced) continue;
      if (change.type === "setState") change = joined(entry.content, change);
      this.removeEntry(entry);
      entry.sending.resolve(undefined);
    }
    return this.add({ change, lane });
  }

  /** Sends a failed message again. */
  async retry(entry: Entry): Promise<void> {
    if (entry.state !== "failed") return;
    this.requeue(entry);
    await this.save(entry);
    this.flush();
  }

  private requeue(entry: Entry): void {
    delete entry.content.failure;
    // They may have been deleted meanwhile.
    for (const file of entry.message?.files ?? []) delete file.fileId;
    entry.uploaded.clear();
    entry.state = "queued";
    entry.sending = new Deferred();
    this.options.onUpdate(entry);
  }

  /** The data of the server were replaced: it may lack files that it had received. */
  noteEpoch(): void {
    for (const entry of this.entries.values()) entry.uploaded.clear();
  }

  /** Removes a message that was not sent. @returns false if it may have been sent already */
  discard(entry: Entry): boolean {
    if (entry.state === "sending" || !this.entries.has(entry.key)) return false;
    this.removeEntry(entry);
    entry.sending.reject(discarded());
    return true;
  }

  /** Removes all messages that were not sent. */
  async discardAll(): Promise<void> {
    const all = this.all;
    this.entries.clear();
    for (const entry of all) this.removeFiles(entry);
    await Promise.all(all.map(({ key }) => this.options.store.delete(prefix + key)));
    for (const entry of all) {
      entry.sending.reject(discarded());
      this.options.onUpdate(entry);
    }
  }

  /** Notes a message of this user that the server has stored. */
  confirm(item: MessageItem): void {
    for (const entry of this.entries.values()) {
      if (entry.message?.clientMessageId !== item.clientMessageId) continue;
      this.arriving.set(entry, item);
      this.removeEntry(entry);
      entry.state = "sent";
      entry.sending.resolve(item);
      return;
    }
  }

  /** Notes that the replica has the messages of a chat, or of all, up to a `seq`. */
  noteArrived(chatId: number | undefined, seq: number): void {
    for (const [entry, item] of this.arriving) {
      if ((chatId !== undefined && item.chatId !== chatId) || item.seq > seq) continue;
      this.arriving.delete(entry);
      this.options.onUpdate(entry);
    }
  }

  /** Begins to send, on a connection that is up to date. */
  begin(request: SendRequest): void {
    this.request = request;
    this.lost = new Promise((resolve) => {
      this.endWaiting = resolve;
    });
    this.pausedUntil = 0;
    this.spacingMs = 0;
    // The sync has brought them, unless the server's data was restored to a time before them.
    this.noteArrived(undefined, Number.MAX_SAFE_INTEGER);
    // What another tab has sent was in the sync.
    for (const entry of this.all) if (entry.goneAt !== undefined) this.forget(entry);
    clearInterval(this.pollTimer);
    this.pollTimer = setInterval(() => this.flush(true), pollMs);
    this.flush(true);
  }

  /** Stops sending: the connection is lost. */
  end(): void {
    this.request = undefined;
    clearInterval(this.pollTimer);
    this.endWaiting();
  }

  /** @param before what must be in the store first */
  private add(content: EntryContent, before?: Promise<unknown>): Entry {
    const entry = new Entry(uuid(), content);
    this.entries.set(entry.key, entry);
    this.options.onUpdate(entry);
    void Promise.resolve(before)
      .then(() => {
        if (before !== undefined) this.noteProgress(entry);
        return this.save(entry);
      })
      .then(() => this.flush());
    return entry;
  }

  /** Stores an entry. If the store fails, it is kept in memory. */
  private async save(entry: Entry): Promise<void> {
    entry.isStored = false;
    try {
      await this.options.store.set(prefix + entry.key, entry.content as unknown as Json);
      entry.isStored = true;
      entry.storing.resolve();
    } catch (error) {
      entry.storing.reject(new MessengerError("STORE", `The store failed: ${error}`));
      this.options.onStoreFailure(error);
    }
  }

  private removeEntry(entry: Entry): void {
    this.forget(entry);
    this.removeFiles(entry);
    this.removing.add(entry.key);
    // Not before it is written: the write would bring it back.
    entry.storing.promise
      .catch(() => {})
      .then(() => this.options.store.delete(prefix + entry.key))
      .then(() => this.removing.delete(entry.key))
      .catch((error) => this.options.onStoreFailure(error));
  }

  private removeFiles({ message }: Entry): void {
    for (const file of message?.files ?? []) this.options.uploads.remove(file);
  }

  private forget(entry: Entry): void {
    this.entries.delete(entry.key);
    this.options.onUpdate(entry);
  }

  /** @param isPoll also if there is nothing to send: entries of a tab that was closed are only in the store */
  private flush(isPoll = false): void {
    if (!this.request || (!isPoll && this.waitingLanes().size === 0)) return;
    this.added.resolve();
    if (this.isFlushing) return;
    this.isFlushing = true;
    this.options.store
      .lock("outbox", () => this.drain())
      .catch(async (error) => {
        this.options.onStoreFailure(error);
        await wait(retryMs, this.lost);
      })
      .finally(() => {
        this.isFlushing = false;
        this.flush();
      });
  }

  /** Sends all entries in the store, those of other tabs too. */
  private async drain(): Promise<void> {
    const running = new Map<string, Promise<unknown>>();
    await this.reload();
    while (this.request) {
      if (performance.now() - this.lastReloadAt >= reloadMs) await this.reload();
      this.added = new Deferred();
      for (const lane of this.waitingLanes()) {
        if (running.size >= maxLanes) break;
        if (running.has(lane)) continue;
        running.set(
          lane,
          this.sendLane(lane).finally(() => running.delete(lane)),
        );
      }
      if (running.size === 0) {
        this.spacingMs = 0;
        return;
      }
      await Promise.race([...running.values(), this.added.promise]);
    }
    await Promise.all(running.values());
  }

  private waitingLanes(): Set<string> {
    return new Set(this.all.filter(isWaiting).map(({ lane }) => lane));
  }

  /** Sends the entries of a lane for a while, so that those of other tabs are found. */
  private async sendLane(lane: string): Promise<void> {
    const startedAt = performance.now();
    while (this.request && performance.now() - startedAt < reloadMs) {
      const next = this.all.find((entry) => entry.lane === lane && isWaiting(entry));
      if (!next) return;
      await this.send(next);
    }
  }

  private async send(entry: Entry): Promise<void> {
    await entry.storing.promise.catch(() => {});
    const backoff = new Backoff();
    while (this.request && this.entries.has(entry.key)) {
      const startedAt = performance.now();
      if (startedAt < this.pausedUntil) {
        await wait(this.pausedUntil - startedAt, this.lost);
        continue;
      }
      // Lanes that go on together would exceed the limit again.
      this.pausedUntil = startedAt + this.spacingMs;
      let fileLost: MessengerError | undefined;
      try {
        fileLost = await this.uploadFiles(entry);
        if (!this.request || !this.entries.has(entry.key)) return;
        this.setState(entry, "sending");
        const item = await this.sendOnce(this.request, entry.content);
        this.spacingMs *= spacingDecay;
        if (this.entries.has(entry.key)) this.removeEntry(entry);
        entry.sending.resolve(item);
        return;
      } catch (thrown) {
        const error = toMessengerError(thrown);
        this.setState(entry, "queued");
        if (error.code === "OFFLINE") return;
        if (error.code === "RATE_LIMITED") this.slowDown(startedAt, error.retryAfterMs ?? retryMs);
        else if (error.code === "UNAVAILABLE") await wait(error.retryAfterMs ?? retryMs + backoff.next(), this.lost);
        else {
          await this.refuse(entry, error.code === "CONFLICT" ? (fileLost ?? error) : error);
          return;
        }
      }
    }
  }

  /**
   * Uploads the files of a message. Until then it can be discarded.
   * @returns the error if the content of a file is lost that may be uploaded: the server knows, when the message is sent
   */
  private async uploadFiles(entry: Entry): Promise<MessengerError | undefined> {
    let fileLost: MessengerError | undefined;
    for (const file of entry.message?.files ?? []) {
      if (!this.entries.has(entry.key)) return undefined;
      if (entry.uploaded.has(file.key)) continue;
      let announced = file.fileId;
      let saving: Promise<void> | undefined;
      try {
        await this.options.uploads.upload(file, () => {
          // So that a later run goes on with it.
          if (file.fileId !== announced) saving = this.save(entry);
          announced = file.fileId;
          this.noteProgress(entry);
        });
        await saving;
        entry.uploaded.add(file.key);
      } catch (error) {
        // An earlier run may have uploaded it, and even sent the message.
        const isAnnounced = file.fileId !== undefined;
        if (!isAnnounced || !(error instanceof MessengerError) || error.code !== "FILE_LOST") throw error;
        fileLost = error;
      }
    }
    return fileLost;
  }

  private noteProgress(entry: Entry): void {
    entry.revision++;
    if (this.entries.has(entry.key)) this.options.onUpdate(entry);
  }

  /** The limit is the user's: it holds for all lanes. */
  private slowDown(sentAt: number, retryAfterMs: number): void {
    const now = performance.now();
    this.pausedUntil = Math.max(this.pausedUntil, now + retryAfterMs);
    // Of requests that were sent together, one says how much too early they came.
    if (sentAt < this.limitedAt) return;
    this.limitedAt = now;
    this.spacingMs += Math.min(retryAfterMs, maxSpacingStepMs);
  }

  private async sendOnce(request: SendRequest, content: EntryContent): Promise<MessageItem | undefined> {
    if ("change" in content) {
      const { change } = content;
      if (change.type === "setState") {
        const { key, patch } = change.params;
        await request("setState", { key, value: this.options.patchedState(key, patch) });
        return undefined;
      }
      const { item } = await request(change.type, change.params);
      return item !== null && "messageId" in item ? item : undefined;
    }
    const { to, forwardOf, files, writtenAt: _, ...message } = content.message;
    if (forwardOf) {
      const { messageId } = forwardOf;
      return (await request("forwardMessage", { ...to, messageId, clientMessageId: message.clientMessageId })).item;
    }
    const params = {
      ...message,
      ...(files && { fileIds: files.flatMap(({ fileId }) => fileId ?? []) }),
    };
    const { item } =
      "groupId" in to
        ? await request("messageInGroup", { ...to, ...params })
        : await request("privateMessage", { ...to, ...params });
    return item;
  }

  /** A refused message is kept until it is retried or discarded; a refused change has no effect. */
  private async refuse(entry: Entry, error: MessengerError): Promise<void> {
    if (!this.entries.has(entry.key)) return;
    const { code, message, field } = error;
    if ("change" in entry.content) {
      this.removeEntry(entry);
      entry.sending.reject(error);
      return;
    }
    entry.content.failure = { code, message, ...(field !== undefined && { field }) };
    this.setState(entry, "failed");
    entry.sending.reject(error);
    await this.save(entry);
  }

  private setState(entry: Entry, state: EntryState): void {
    if (entry.state === state || !this.entries.has(entry.key)) return;
    entry.state = state;
    this.options.onUpdate(entry);
  }

  /** Reads the store: other tabs add entries, and remove those they have sent. */
  private async reload(): Promise<void> {
    this.lastReloadAt = performance.now();
    const before = this.all.filter(({ isStored }) => isStored);
    const isRemoving = new Set(this.removing);
    const found = await this.options.store.entries(prefix).catch((error) => {
      this.options.onStoreFailure(error);
      return undefined;
    });
    if (!found) return;
    const stored = new Map(
      found.map(([key, content]) => [key.slice(prefix.length), content as unknown as EntryContent]),
    );
    for (const entry of before) {
      const content = stored.get(entry.key);
      stored.delete(entry.key);
      // It was removed, or is being written, and what was read is out of date.
      if (!this.entries.has(entry.key) || !entry.isStored) continue;
      if (content?.failure && entry.state === "queued") {
        entry.content.failure = content.failure;
        this.setState(entry, "failed");
      } else if (content && !content.failure && entry.state === "failed") this.requeue(entry);
      else if (!content) {
        entry.goneAt ??= this.lastReloadAt;
        // A message stays visible until it arrives, which takes a moment, unless it had failed and was discarded.
        const isLate = this.lastReloadAt - entry.goneAt >= pollMs;
        if (entry.state === "failed" || !entry.message || isLate) this.forget(entry);
      }
    }
    const added = [...stored].filter(
      ([key]) => !this.entries.has(key) && !isRemoving.has(key) && !this.removing.has(key),
    );
    for (const [key, content] of added) {
      continueAfter(key);
      const entry = new Entry(key, content);
      entry.isStored = true;
      entry.storing.resolve();
      this.entries.set(key, entry);
      this.options.onUpdate(entry);
    }
    if (added.length > 0) this.sort();
  }

  private sort(): void {
    const sorted = [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1));
    this.entries.clear();
    for (const [key, entry] of sorted) this.entries.set(key, entry);
  }
}

const isWaiting = ({ state, goneAt }: Entry): boolean => state === "queued" && goneAt === undefined;

const discarded = () => new MessengerError("DISCARDED", "The message was discarded.");

/** A patch of personal state after an earlier one of the same key. */
function joined(earlier: EntryContent, { type, params }: Change & { type: "setState" }): Change {
  if (!("change" in earlier) || earlier.change.type !== type) return { type, params };
  return { type, params: { ...params, patch: { ...earlier.change.params.patch, ...params.patch } } };
}

/** Changes with the same purpose replace each other. */
function purposeOf({ type, params }: Change): string {
  if (type === "setState") return `${type} ${params.key}`;
  if (type === "react") return `${type} ${params.messageId} ${params.emoji}`;
  if (type === "pinMessage") return `${type} ${params.messageId}`;
  if ("messageId" in params) return `message ${params.messageId}`;
  return "chatId" in params ? `${type} ${params.chatId}` : `${type} ${params.receiverId}`;
}
