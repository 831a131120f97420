import { AsyncLocalStorage } from "node:async_hooks";

interface Timer {
  id: number;
  at: number;
  everyMs: number | undefined;
  run: () => void;
  owner: object | undefined;
  /** Made with `setTimeout` or `setInterval`, which keep a process running. */
  isOfProgram: boolean;
}

const real = {
  setImmediate: globalThis.setImmediate,
  globals: Object.getOwnPropertyDescriptors({ ...pick(globalThis) }),
  dateNow: Date.now,
  performanceNow: performance.now,
  random: Math.random,
  timeout: AbortSignal.timeout,
};

function pick({ setTimeout, clearTimeout, setInterval, clearInterval }: typeof globalThis) {
  return { setTimeout, clearTimeout, setInterval, clearInterval };
}

/**
 * Replaces timers, clocks and random numbers. Time passes only in `advance`. Each timer belongs to the program that set it,
 * so that the timers of a killed one can be removed.
 */
export class VirtualTime {
  private timers: Timer[] = [];
  private readonly owners = new AsyncLocalStorage<object>();
  private count = 0;
  private elapsed = 0;
  private randomState: number;
  /** What has to be added to the elapsed time to get the time of the device's clock. */
  clock: number;

  constructor(seed: number, startAt: number) {
    this.randomState = seed | 1;
    this.clock = startAt;
  }

  get now(): number {
    return this.elapsed;
  }

  install(): void {
    const set = (run: () => void, ms: number | undefined, everyMs?: number) =>
      this.add(run, Math.max(ms ?? 0, 0), everyMs, true);
    const clear = (id: unknown) => this.remove((timer) => timer.id === id);
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms?: number) => set(run, ms),
      setInterval: (run: () => void, ms: number) => set(run, ms, ms),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Date.now = () => this.clock + this.elapsed;
    performance.now = () => this.elapsed;
    Math.random = () => this.random();
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      this.schedule(ms, () => controller.abort());
      return controller.signal;
    };
  }

  uninstall(): void {
    Object.defineProperties(globalThis, real.globals);
    Date.now = real.dateNow;
    performance.now = real.performanceNow;
    Math.random = real.random;
    AbortSignal.timeout = real.timeout;
  }

  /** A number from 0 to 1 (mulberry32). */
  random(): number {
    this.randomState = (this.randomState + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.randomState ^ (this.randomState >>> 15), 1 | this.randomState);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  between(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }

  /** Runs something on behalf of a program. */
  runAs<T>(owner: object, work: () => T): T {
    return this.owners.run(owner, work);
  }

  /** Does something later that belongs to no program. */
  schedule(ms: number, run: () => void): void {
    this.add(run, Math.max(ms, 0), undefined, false);
  }

  /** Removes the timers of a program. */
  removeTimersOf(owner: object): void {
    this.remove((timer) => timer.owner === owner);
  }

  /** The timers that would keep the process of a program running. */
  timersOf(owner: object): number {
    return this.timers.filter((timer) => timer.owner === owner && timer.isOfProgram).length;
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    await settled();
    for (;;) {
      const next = this.timers[0];
      if (!next || next.at > end) break;
      this.elapsed = Math.max(this.elapsed, next.at);
      this.timers.shift();
      if (next.everyMs !== undefined) this.insert({ ...next, at: next.at + next.everyMs });
      if (next.owner) this.runAs(next.owner, next.run);
      else next.run();
      await settled();
    }
    this.elapsed = end;
  }

  private add(run: () => void, ms: number, everyMs: number | undefined, isOfProgram: boolean): number {
    const id = ++this.count;
    this.insert({
      id,
      at: this.elapsed + ms,
      everyMs,
      run,
      owner: isOfProgram ? this.owners.getStore() : undefined,
      isOfProgram,
    });
    return id;
  }

  private insert(timer: Timer): void {
    const index = this.timers.findLastIndex(({ at }) => at <= timer.at);
    this.timers.splice(index + 1, 0, timer);
  }

  private remove(isRemoved: (timer: Timer) => boolean): void {
    this.timers = this.timers.filter((timer) => !isRemoved(timer));
  }
}

/** Resolves when all promises that can settle now have settled. */
export const settled = (): Promise<void> => new Promise((resolve) => real.setImmediate(resolve));
