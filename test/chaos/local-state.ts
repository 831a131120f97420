/** A change of a key of a user's personal state, as the server sends it. */
export interface StateItem {
  stateVersion: number;
  key: string;
  /** Null if the key was removed. */
  value: unknown;
}

/** What differs in the personal state, in the response of `sync`. */
export interface SyncedState {
  version: number;
  entries: readonly (readonly [key: string, value: unknown])[];
  reset?: boolean;
}

/** The personal state of the user on one device, built by the sync rule for clients. */
export class LocalState {
  version = 0;
  readonly keys = new Map<string, unknown>();

  /** @param requestSync called when changes are missing before one that was received */
  constructor(private readonly requestSync: () => void) {}

  /** Applies the next change and ignores an earlier one. */
  apply({ stateVersion, key, value }: StateItem): void {
    if (stateVersion > this.version + 1) this.requestSync();
    else if (stateVersion === this.version + 1) {
      this.version = stateVersion;
      this.set(key, value);
    }
  }

  applySync({ version, entries, reset }: SyncedState): void {
    if (reset) this.keys.clear();
    for (const [key, value] of entries) this.set(key, value);
    this.version = version;
  }

  private set(key: string, value: unknown): void {
    if (value === null) this.keys.delete(key);
    else this.keys.set(key, value);
  }
}
