/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A change of a store: a new value, or the removal of the key where there is none. */
export interface Write {
  key: string;
  value?: Json;
}

/**
 * Where a messenger keeps its session, unsent messages and chats. What a resolved promise has written must survive the end
 * of the process, if the store is to be durable.
 */
export interface Store {
  get(key: string): Promise<Json | undefined>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
  /** The pairs of key and value whose key begins with the prefix, in the order of the keys. */
  entries(prefix?: string): Promise<[key: string, value: Json][]>;
  /** Makes all writes, or none. Without it, chats are not kept, only the session and the unsent messages. */
  batch?(writes: readonly Write[]): Promise<void>;
  /** Runs `work` while nobody else who shares this store holds the lock of this name. Without it, only one may use the store. */
  lock?<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** It also stores a `Blob` as a value. Without it, files to send are kept in memory only. */
  readonly keepsBlobs?: true;
  close?(): Promise<void>;
}

/** A queue of work for each name: what a store without `lock` uses. */
export class LocalLocks {
  private readonly last = new Map<string, Promise<unknown>>();

  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = (this.last.get(name) ?? Promise.resolve()).then(work);
    const ended = result.catch(() => {});
    this.last.set(name, ended);
    void ended.then(() => {
      if (this.last.get(name) === ended) this.last.delete(name);
    });
    return result;
  }
}

/** Keeps everything in memory, as copies: nothing survives the end of the process. */
export function memory(): Store {
  const values = new Map<string, Json>();
  const locks = new LocalLocks();
  const write = ({ key, value }: Write) => {
    if (value === undefined) values.delete(key);
    else values.set(key, structuredClone(value));
  };
  return {
    get: async (key) => structuredClone(values.get(key)),
    set: async (key, value) => write({ key, value }),
    delete: async (key) => write({ key }),
    entries: async (prefix = "") =>
      structuredClone([...values].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))),
    batch: async (writes) => writes.forEach(write),
    lock: (name, work) => locks.run(name, work),
  };
}

/** A part of a store: the keys with a prefix, which is left out in both directions. */
export class StorePart {
  constructor(
    private readonly store: Store,
    private readonly prefix: string,
    private readonly locks = new LocalLocks(),
  ) {}

  part(prefix: string): StorePart {
    return new StorePart(this.store, this.prefix + prefix, this.locks);
  }

  get hasBatch(): boolean {
    return this.store.batch !== undefined;
  }

  get keepsBlobs(): boolean {
    return this.store.keepsBlobs === true;
  }

  get(key: string): Promise<Json | undefined> {
    return this.store.get(this.prefix + key);
  }

  set(key: string, value: Json): Promise<void> {
    return this.store.set(this.prefix + key, value);
  }

  delete(key: string): Promise<void> {
    return this.store.delete(this.prefix + key);
  }

  async entries(prefix = ""): Promise<[key: string, value: Json][]> {
    const found = await this.store.entries(this.prefix + prefix);
    return found.map(([key, value]) => [key.slice(this.prefix.length), value]);
  }

  async batch(writes: readonly Write[]): Promise<void> {
    await this.store.batch?.(writes.map((write) => ({ ...write, key: this.prefix + write.key })));
  }

  lock<T>(name: string, work: () => Promise<T>): Promise<T> {
    const whole = this.prefix + name;
    return this.store.lock ? this.store.lock(whole, work) : this.locks.run(whole, work);
  }
}
