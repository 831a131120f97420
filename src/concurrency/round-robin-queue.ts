/** Whom a task is done for. Network addresses take turns, and the accounts at an address do. */
export interface TaskOwner {
  address: string;
  account: string | number;
}

interface WaitingTask {
  start: () => void;
  /** Rejects the task, whose place another one takes. */
  giveUp: (error: Error) => void;
}

/** What is done as soon as a task has a place. */
export interface Preparation {
  /** Rejects if the task must not run; its place is then free. */
  prepare: () => Promise<void>;
  /** Called if another task takes the place. */
  undo: () => Promise<void>;
}

/** The waiting tasks of one address, by account. Of addresses and accounts, the one whose turn is next comes first. */
type Accounts = Map<string | number, WaitingTask[]>;

export interface RoundRobinOptions {
  /** Tasks at the same time. */
  concurrency: number;
  /** Tasks that wait. */
  maxQueued: number;
  /** Makes the error for a task without a place. */
  rejection: () => Error;
}

/**
 * Limits how many tasks run at the same time, and how many wait. Addresses take turns, and so do the accounts at an address.
 * A single address may use all places; in a full queue, a task of an address with fewer tasks takes the place of the
 * newest task of the address with most. Nobody's flood thus keeps others out.
 */
export class RoundRobinQueue {
  private readonly waiting = new Map<string, Accounts>();
  /** Tasks that run or wait, by address. */
  private readonly counts = new Map<string, number>();
  private running = 0;
  private queued = 0;

  constructor(private readonly options: RoundRobinOptions) {}

  /** The number of tasks that wait. */
  get length(): number {
    return this.queued;
  }

  /**
   * Throws if a task of this address would find no place.
   * @param ahead tasks that will be queued before, by address
   */
  assertCapacity(address: string, ahead: ReadonlyMap<string, number> = new Map()): void {
    let total = this.running + this.queued;
    let most = Math.max(0, ...this.counts.values());
    for (const [other, count] of ahead) {
      total += count;
      most = Math.max(most, count + this.countOf(other));
    }
    const own = this.countOf(address) + (ahead.get(address) ?? 0);
    if (total >= this.capacity && own + 1 >= most) throw this.options.rejection();
  }

  /**
   * Runs a task when its turn comes.
   * @throws the rejection if there is no place, or if another task takes it
   */
  async run<T>(owner: TaskOwner, task: () => Promise<T>, preparation?: Preparation): Promise<T> {
    this.makeRoom(owner);
    this.count(owner.address, 1);
    try {
      const prepared = preparation?.prepare();
      await this.takeTurn(owner, prepared, async () => preparation?.undo());
      try {
        await prepared;
        return await task();
      } finally {
        this.running--;
        this.startNext();
      }
    } finally {
      this.count(owner.address, -1);
    }
  }

  private get capacity(): number {
    return this.options.concurrency + this.options.maxQueued;
  }

  private countOf(address: string): number {
    return this.counts.get(address) ?? 0;
  }

  private count(address: string, change: 1 | -1): void {
    const count = this.countOf(address) + change;
    if (count > 0) this.counts.set(address, count);
    else this.counts.delete(address);
  }

  /** Resolves with a task counted as running. Rejects if its place is taken, or once `prepared` does. */
  private takeTurn(owner: TaskOwner, prepared: Promise<void> | undefined, undo: () => Promise<void>): Promise<void> {
    if (this.running < this.options.concurrency) {
      this.running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const task: WaitingTask = {
        start: resolve,
        giveUp: (error) => {
          prepared?.then(undo).catch(ignore);
          reject(error);
        },
      };
      this.enqueue(owner, task);
      prepared?.catch((error) => {
        if (this.dequeue(owner, task)) reject(error);
      });
    });
  }

  private startNext(): void {
    const [next] = this.waiting;
    if (!next) return;
    const [address, accounts] = next;
    const [first] = accounts;
    if (!first) throw new Error(`address ${address} is queued without tasks`);
    const [account, [task]] = first;
    if (!task) throw new Error(`account ${account} is queued without tasks`);
    this.dequeue({ address, account }, task);
    moveToEnd(accounts, account);
    moveToEnd(this.waiting, address);
    this.running++;
    task.start();
  }

  private enqueue({ address, account }: TaskOwner, task: WaitingTask): void {
    const accounts = this.waiting.get(address) ?? new Map();
    this.waiting.set(address, accounts);
    const tasks = accounts.get(account) ?? [];
    accounts.set(account, tasks);
    tasks.push(task);
    this.queued++;
  }

  /** Removes a waiting task; false if it does not wait. */
  private dequeue({ address, account }: TaskOwner, task: WaitingTask): boolean {
    const accounts = this.waiting.get(address);
    const tasks = accounts?.get(account);
    const index = tasks?.indexOf(task) ?? -1;
    if (!accounts || !tasks || index < 0) return false;
    tasks.splice(index, 1);
    if (tasks.length === 0) accounts.delete(account);
    if (accounts.size === 0) this.waiting.delete(address);
    this.queued--;
    return true;
  }

  /** Makes room for one task in a full queue, by rejecting another one if that is fair; otherwise throws. */
  private makeRoom({ address, account }: TaskOwner): void {
    if (this.running + this.queued < this.capacity) return;
    const busiest = lastMax([...this.waiting.keys()], (other) => this.countOf(other));
    const accounts: Accounts = this.waiting.get(busiest ?? "") ?? new Map();
    const largest = lastMax([...accounts.keys()], (other) => accounts.get(other)?.length ?? 0);
    if (busiest === undefined || largest === undefined) throw this.options.rejection();
    const tasks = accounts.get(largest) ?? [];
    const isFair =
      busiest === address
        ? (accounts.get(account)?.length ?? 0) + 1 < tasks.length
        : this.countOf(address) + 1 < this.countOf(busiest);
    const newest = tasks.at(-1);
    if (!isFair || !newest) throw this.options.rejection();
    this.dequeue({ address: busiest, account: largest }, newest);
    newest.giveUp(this.options.rejection());
  }
}

/** Of the items with the greatest number, the last one. */
function lastMax<Item>(items: readonly Item[], numberOf: (item: Item) => number): Item | undefined {
  let last: { item: Item; number: number } | undefined;
  for (const item of items) {
    const number = numberOf(item);
    if (!last || number >= last.number) last = { item, number };
  }
  return last?.item;
}

const ignore = (): void => {};

/** Moves a key, if it is there, behind all others. */
function moveToEnd<Key, Value>(map: Map<Key, Value>, key: Key): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  map.set(key, value);
}
