import type { Change } from "../domain/change.ts";

/** A change that waits for the versions before it. */
interface PendingChange {
  change: Change;
  /** Is called when it has been delivered, or with an error when its requester cannot wait any longer. */
  settle: (error?: Error) => void;
}

/** Where a sequencer starts. */
export interface SequencerStart {
  /** The last delivered version. */
  version: number;
  /** Whether that is certain; if not, nothing is delivered before `startAt`. */
  hasPosition: boolean;
}

/**
 * Puts the changes of one chat in the order of their versions. A state machine without input or output of its own:
 * it is given published changes, versions seen in the store and rows read from it, passes changes on to `deliver`, and
 * says whether a read from the store is needed to get further.
 */
export class Sequencer {
  private version: number;
  private isPositioned: boolean;
  /** A version known to be in the store whose change was not published here; 0 for none. */
  private storedVersion = 0;
  private isInDoubt = false;
  /** Created when needed: hardly any chat has pending changes. */
  private pending: Map<number, PendingChange> | undefined;

  constructor(
    start: SequencerStart,
    private readonly deliver: (change: Change) => void,
  ) {
    this.version = start.version;
    this.isPositioned = start.hasPosition;
  }

  get lastDelivered(): number {
    return this.version;
  }

  get hasPosition(): boolean {
    return this.isPositioned;
  }

  /** Whether changes may be missing that only a read from the store can supply. */
  get needsRead(): boolean {
    const isBehind = this.storedVersion > 0 && (!this.isPositioned || this.storedVersion > this.version);
    return this.isInDoubt || isBehind || (this.pending !== undefined && this.pending.size > 0);
  }

  /**
   * Delivers a published change if it is the next one, and then the pending ones that follow it.
   * @returns false if it has to wait for earlier versions; then pass it to `keepPending`
   */
  accept(change: Change): boolean {
    const { version } = change.message;
    if (this.isPositioned && version <= this.version) return true;
    if (!this.isPositioned || version > this.version + 1) return false;
    this.deliverNow(change);
    this.deliverPending();
    return true;
  }

  /** Keeps a change until the versions before it have been delivered. */
  keepPending(change: Change, settle: PendingChange["settle"]): void {
    this.pending ??= new Map();
    this.pending.set(change.message.version, { change, settle });
  }

  /**
   * Notes that the store has this version of the chat.
   * @returns whether that is later than what was delivered
   */
  noteStoredVersion(version: number): boolean {
    if (this.isPositioned && version <= this.version) return false;
    this.storedVersion = Math.max(this.storedVersion, version);
    return true;
  }

  /** Notes that a commit may have added changes that nobody publishes. */
  noteDoubt(): void {
    this.isInDoubt = true;
  }

  /** Returns whether a commit is in doubt, and resets it: the read that follows settles it. */
  takeDoubt(): boolean {
    const wasInDoubt = this.isInDoubt;
    this.isInDoubt = false;
    return wasInDoubt;
  }

  /** Sets the last delivered version, or an earlier one if a pending change precedes it; delivers what follows it. */
  startAt(version: number): void {
    this.version = version;
    for (const pendingVersion of this.pendingVersions()) this.version = Math.min(this.version, pendingVersion - 1);
    this.isPositioned = true;
    this.deliverPending();
  }

  /** Returns the latest version that is known to be in the store; 0 if none is known beyond the delivered ones. */
  latestKnownVersion(): number {
    return Math.max(this.storedVersion, ...this.pendingVersions());
  }

  /**
   * Delivers changes read from the store in order of their versions, each pending change in place of its row: it knows
   * the requester.
   * @param completeUpTo everything stored up to this version was read, so a version without a row will never have one:
   *   its message was changed again since, or removed with its chat. 0 if there are more rows to read.
   */
  applyRead(changes: readonly Change[], completeUpTo: number): void {
    const read = new Map(changes.map((change) => [change.message.version, change]));
    const last = Math.max(completeUpTo, ...read.keys());
    const versions = new Set([...read.keys(), ...this.pendingVersions()]);
    for (const version of [...versions].sort((a, b) => a - b)) {
      if (version <= this.version || version > last) continue;
      const pending = this.pending?.get(version);
      const change = read.get(version);
      if (pending) this.deliverOnePending(pending);
      else if (change) this.deliverNow(change);
    }
    this.deliverPending();
    if (this.storedVersion <= completeUpTo) this.storedVersion = 0;
  }

  /** Calls back for the changes that are still pending, undelivered: no more reads will follow. */
  releasePending(): void {
    for (const { settle } of this.pending?.values() ?? []) settle();
  }

  /** Answers the requesters of pending changes with an error. Once delivered, the changes are pushed to them as well. */
  failPending(error: Error): void {
    for (const [version, { change, settle }] of this.pending ?? []) {
      this.pending?.set(version, { change: { ...change, requester: undefined }, settle: () => {} });
      settle(error);
    }
  }

  private deliverPending(): void {
    for (let next = this.nextPending(); next; next = this.nextPending()) this.deliverOnePending(next);
  }

  private nextPending(): PendingChange | undefined {
    return this.pending?.get(this.version + 1);
  }

  private deliverOnePending({ change, settle }: PendingChange): void {
    this.pending?.delete(change.message.version);
    this.deliverNow(change);
    settle();
  }

  private deliverNow(change: Change): void {
    this.version = change.message.version;
    this.deliver(change);
  }

  private pendingVersions(): Iterable<number> {
    return this.pending?.keys() ?? [];
  }
}
