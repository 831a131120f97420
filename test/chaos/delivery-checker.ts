import type { MessageItem } from "../../src/contract/messages.ts";
import type { LocalChat } from "./local-chat.ts";
import type { StateItem } from "./local-state.ts";
import type { AcknowledgedReadState, Log, PageRow, ViolationKind } from "./log.ts";
import { type ClientRules, isCompleteEntry, Replica, type SyncedChat, type SyncItem } from "./replica.ts";

// biome-ignore lint/suspicious/noExplicitAny: a frame as the server under test sent it, which is not trusted to be valid
export type Frame = any;

/** The types that change nothing if what they ask for is so already, and are then answered with the message as it is. */
const repeatable: ReadonlySet<string> = new Set(["deleteMessage", "editMessage", "renameGroup", "react", "pinMessage"]);

/** Versions of a chat that a connection did not receive: those between `after` and `before`, both excluded. */
interface Gap {
  after: number;
  before: number;
}

/** Time allowed for a push of a read position or of personal state after its acknowledgement, in milliseconds. */
const signalWithinMs = 300;

/**
 * Checks all frames that one device receives, before its replica applies them: each connection must receive the changes
 * of a chat once, in order, without gaps and in time.
 */
export class DeliveryChecker {
  readonly replica: Replica;
  /** Per connection: the last received version of each chat. */
  private lastVersions = new Map<number, number>();
  /** Per connection: the version of each chat after the last complete sync. */
  private syncedVersions = new Map<number, number>();
  private readonly gaps = new Map<number, Gap>();
  /** Since when this connection must receive every change; undefined until its first complete sync. */
  private liveSince: number | undefined;
  /** The epoch in which this connection was synced. */
  private connectionEpoch: string | undefined;
  private syncRequestedAt = 0;

  /** @param requestSync called when the replica needs a sync */
  constructor(
    private readonly device: { name: string; userId: number },
    private readonly log: Log,
    requestSync: () => void,
    rules?: ClientRules,
  ) {
    this.replica = new Replica(device.userId, requestSync, rules);
  }

  /** Starts a new connection. */
  startConnection(): void {
    this.lastVersions = new Map();
    this.syncedVersions = new Map();
    this.liveSince = undefined;
    this.connectionEpoch = undefined;
  }

  /** A sync without `hasMore` was applied: from now on the connection must receive every change. */
  completeSync(): void {
    this.liveSince ??= Date.now();
    // Chats that the response does not list are unchanged.
    for (const { chatId, version } of this.replica.chats.values()) this.syncedVersions.set(chatId, version);
  }

  /** The device does not read its socket before this time. */
  pauseUntil(time: number): void {
    if (this.liveSince !== undefined) this.liveSince = time;
  }

  /** The params of a sync that is requested now. */
  startSync(): { chats: number[][]; stateVersion: number; epoch?: string } {
    this.syncRequestedAt = Date.now();
    const { epoch, state } = this.replica;
    return { chats: this.replica.syncChats(), stateVersion: state.version, ...(epoch !== undefined && { epoch }) };
  }

  /** Describes the acknowledged changes and read states that the device should have received by now and has not. */
  missing(): string[] {
    return [...this.missingChanges(), ...this.missingState()].map((details) => `${this.device.name}: ${details}`);
  }

  private missingChanges(): string[] {
    return [...this.replica.chats.values()].flatMap((chat) => {
      const { chatId, version } = chat;
      const newest = this.log.latency.newestVersions.get(chatId) ?? 0;
      const missed = this.missedReadState(chat, Date.now());
      return [
        ...(version < newest ? [`is at version ${version} of ${newest} and receives no more`] : []),
        ...(missed ? [`did not receive that user ${missed.userId} has read it to ${missed.readSeq}`] : []),
      ].map((details) => `chat ${chatId}: ${details}`);
    });
  }

  /** The same for the personal state of the user. */
  private missingState(): string[] {
    const newest = this.log.newestStates.get(this.device.userId);
    const { version } = this.replica.state;
    if (!newest || !this.mustHaveReceived(newest.at, Date.now()) || version >= newest.version) return [];
    return [`its personal state is at version ${version} of ${newest.version}`];
  }

  /** Checks a frame and applies it. Frames must be passed in the order of their arrival. */
  receive({ type, success, params }: Frame): void {
    if (!success) return;
    const isResponse = !params.isBroadcast;
    const { item } = params;
    if (type === "sync") this.receiveSync(item);
    else if (type === "markRead") this.receiveReadPosition(item, isResponse);
    else if (type === "setState") this.receiveState(item, isResponse);
    else if (type === "clearDialog") this.receiveClearedPosition(item, isResponse);
    else if (isResponse && repeatable.has(type) && this.mayHaveChangedNothing(type, item)) {
      this.log.latency.recordAcknowledgement(item.chatId, item.version);
      this.replica.applyChange(item);
    } else if (item?.version !== undefined && !item.duplicate) {
      this.checkChange(item, isResponse ? "response" : "push");
      this.replica.applyChange(item);
    }
  }

  /** Prepares for a page of history that is requested now. @returns the check of that page against the state of now */
  expectPage(chat: LocalChat): (page: readonly PageRow[]) => void {
    const { chatId, messages, version, clearedSeq, oldestSeq } = chat;
    const report = (details: string) => this.report("inconsistent", chatId, `a page of its history ${details}`);
    return (page) => {
      const current = this.replica.chats.get(chatId);
      // The chat was left, joined again or reset meanwhile.
      if (current?.messages !== messages) return;
      for (const item of page) {
        if (item.seq <= clearedSeq) report(`contains seq ${item.seq}, cleared to ${clearedSeq}`);
        const known = messages.get(item.seq);
        if (item.version > version || item.seq < oldestSeq || item.seq <= current.clearedSeq) continue;
        if (!known) report(`contains seq ${item.seq}, which the device has not received`);
        else if (known.version <= version && (known.version !== item.version || known.message !== item.message)) {
          report(`contains seq ${item.seq} at version ${item.version}, the device has version ${known.version}`);
        }
      }
    };
  }

  private report(kind: ViolationKind, chatId: number, details: string): void {
    this.log.reportViolation(kind, `${this.device.name}: chat ${chatId}: ${details}`);
  }

  /**
   * Whether a request may have stored nothing, so that its answer has no place in the order of the changes. Either the
   * change was received before. Or another device has requested the same, perhaps from another process: then this process
   * may answer before it pushes that change and those before it, and clients ignore the push by its version.
   */
  private mayHaveChangedNothing(type: string, item: MessageItem): boolean {
    const { chatId, version, messageId, message } = item;
    if (version <= (this.lastVersions.get(chatId) ?? 0)) return true;
    if (type === "react" || type === "pinMessage") return this.mayBeMarkedBefore(type, item);
    const revision = { messageId, content: message, isDeletion: type === "deleteMessage" };
    return this.log.requestedRevisions.hasFromOther(this.device.name, revision);
  }

  /** The same for reactions and pins, whose answers then carry whatever change was the last. */
  private mayBeMarkedBefore(type: "react" | "pinMessage", { change, messageId }: MessageItem): boolean {
    const { name, userId } = this.device;
    const kind = type === "react" ? "reaction" : "pin";
    if (change?.kind !== kind || change.by !== userId) return true;
    return this.log.requestedRevisions.hasMarkFromOther(name, { messageId, userId, kind });
  }

  private receiveReadPosition(item: { chatId: number; userId: number; readSeq: number }, isResponse: boolean): void {
    if (isResponse) this.log.recordReadState({ ...item, clearedSeq: 0 });
    this.replica.applyReadPosition(item);
  }

  private receiveState(item: StateItem, isResponse: boolean): void {
    const { stateVersion: version, key, value } = item;
    const change = { userId: this.device.userId, key, value, version };
    if (isResponse) this.log.recordState(change);
    else if (!this.log.epochs.isEnded(this.connectionEpoch)) this.log.pushedStates.push(change);
    this.replica.state.apply(item);
  }

  private receiveClearedPosition(
    item: { chatId: number; clearedSeq: number; readSeq: number } | null,
    isResponse: boolean,
  ): void {
    if (!item) return;
    if (isResponse) this.log.recordReadState({ ...item, userId: this.device.userId });
    this.replica.applyClearedPosition(item);
  }

  /** A read state of either user that was acknowledged before the given time and that the device has not received. */
  private missedReadState(chat: LocalChat, before: number): AcknowledgedReadState | undefined {
    const { chatId, peerId } = chat;
    const isMissed = (state: AcknowledgedReadState | undefined, readSeq: number, clearedSeq: number) =>
      state !== undefined &&
      this.mustHaveReceived(state.at, before) &&
      (state.readSeq > readSeq || state.clearedSeq > clearedSeq);
    const own = this.log.readStateOf({ userId: this.device.userId, chatId });
    if (isMissed(own, chat.readSeq, chat.clearedSeq)) return own;
    const hasPeer = peerId !== undefined && peerId !== this.device.userId;
    const peer = hasPeer ? this.log.readStateOf({ userId: peerId, chatId }) : undefined;
    return isMissed(peer, chat.peerReadSeq ?? 0, Number.POSITIVE_INFINITY) ? peer : undefined;
  }

  /** Whether the push of a signal that was acknowledged at a time should have been received before another one. */
  private mustHaveReceived(at: number, before: number): boolean {
    const since = this.liveSince;
    if (!this.log.readStatePushesReliable || since === undefined) return false;
    return at > since && at < before - signalWithinMs;
  }

  /** Each version once, in order, without a gap, and in time. */
  private checkChange({ chatId, version, seq }: MessageItem, source: "push" | "response"): void {
    const { userId } = this.device;
    const last = this.lastVersions.get(chatId);
    if (last !== undefined && version <= last) {
      const kind = version === last ? "redelivered" : "out-of-order";
      this.report(kind, chatId, `version ${version} as a ${source} after ${last}`);
    }
    this.lastVersions.set(chatId, Math.max(version, last ?? 0));
    const chat = this.replica.chats.get(chatId);
    // There must be no gap after versions that were all received on this connection, by changes or by a complete sync.
    const receivedUpTo = Math.max(last ?? 0, this.syncedVersions.get(chatId) ?? 0);
    const isUpToDate = chat && this.liveSince !== undefined && receivedUpTo === chat.version;
    if (isUpToDate && version > chat.version + 1 && !this.gaps.has(chatId)) {
      this.gaps.set(chatId, { after: chat.version, before: version });
    }
    if (source === "response") this.log.latency.recordAcknowledgement(chatId, version);
    else {
      // What the processes had read before they noticed the end of a history still belongs to that history.
      if (this.log.epochs.isEnded(this.connectionEpoch)) return;
      this.log.pushed.push({ userId, chatId, seq, version });
      if (!isUpToDate) return;
      const lateMs = this.log.latency.recordDelivery(chatId, version, this.liveSince ?? 0);
      if (lateMs) this.report("late", chatId, `version ${version} was pushed ${lateMs} ms after its acknowledgement`);
    }
  }

  private receiveSync({ chats, left, hasMore, state, epoch }: SyncItem): void {
    // Changes that were buffered for the chats not yet synced come with the next response and not as pushes.
    if (hasMore) this.liveSince = undefined;
    const wrong = this.log.epochs.record(epoch);
    if (wrong) this.log.reportViolation("inconsistent", `${this.device.name}: was synced ${wrong}`);
    this.connectionEpoch = epoch;
    const isSameHistory = this.replica.epoch === epoch;
    for (const entry of chats) {
      const isKnown = isSameHistory && !left.includes(entry.chatId);
      const known = isKnown ? this.replica.chats.get(entry.chatId) : undefined;
      this.checkSyncedChat(entry, known, hasMore && entry === chats.at(-1));
    }
    for (const { chatId, version } of this.replica.applySync({ chats, left, epoch, ...(state && { state }) })) {
      this.lastVersions.set(chatId, Math.max(version, this.lastVersions.get(chatId) ?? 0));
    }
  }

  /** @param isCut whether the response ends in the middle of this chat */
  private checkSyncedChat(entry: SyncedChat, known: LocalChat | undefined, isCut: boolean): void {
    const { chatId, version } = entry;
    const last = this.lastVersions.get(chatId) ?? 0;
    // A change is committed before it is pushed, so the later snapshot of a sync contains it.
    if (version < last && !isCut) this.report("out-of-order", chatId, `synced to ${version} after ${last}`);
    if (!isCut) this.log.synced.push({ userId: this.device.userId, chatId, version });
    const missed = known && this.missedReadState(known, this.syncRequestedAt);
    if (missed) {
      this.report("missed", chatId, `did not receive that user ${missed.userId} has read to ${missed.readSeq}`);
    }
    if (!known && !isCompleteEntry(entry)) return;
    const replaces = entry.tooLong || entry.reset;
    this.checkGap(entry, replaces ? undefined : known);
    // No message of a group is hidden from its members, so the message with the chat's version is in the entry.
    const mustContainVersion = entry.kind === "group" && !replaces && !isCut;
    if (mustContainVersion && version > (known?.version ?? 0) && entry.messages.at(-1)?.version !== version) {
      this.report("incomplete", chatId, `was synced to version ${version} without that version`);
    }
  }

  /**
   * Reports the versions of a gap that the sync contains. The others were superseded by another change of the same
   * message before they were published, and clients must expect to skip them.
   */
  private checkGap({ chatId, messages }: SyncedChat, known: LocalChat | undefined): void {
    const gap = this.gaps.get(chatId);
    this.gaps.delete(chatId);
    if (!gap || known?.version !== gap.after) return;
    this.log.counts.gaps++;
    for (const { version } of messages) {
      if (version <= gap.after || version >= gap.before) continue;
      this.report("missed", chatId, `version ${gap.before} came after ${gap.after}, without ${version}`);
    }
  }
}
