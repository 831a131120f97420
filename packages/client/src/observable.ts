/** A value that changes over time. Fits `useSyncExternalStore`, signals and Svelte stores as it is. */
export interface Observable<T> {
  /** The current value. Its identity changes only when it changes. */
  readonly value: T;
  /**
   * Calls the listener at once and at each change.
   * @returns a function that ends the subscription
   */
  subscribe(listener: (value: T) => void): () => void;
}

abstract class Listeners<T> {
  private readonly listeners = new Set<(value: T) => void>();

  abstract readonly value: T;

  subscribe(listener: (value: T) => void): () => void {
    // A function of its own, so that a listener that subscribes twice is called twice.
    const own = (value: T) => listener(value);
    this.listeners.add(own);
    call(own, this.value);
    return () => {
      this.listeners.delete(own);
    };
  }

  protected get hasListeners(): boolean {
    return this.listeners.size > 0;
  }

  protected notify(): void {
    for (const listener of [...this.listeners]) call(listener, this.value);
  }
}

/** An observable that is set. */
export class State<T> extends Listeners<T> implements Observable<T> {
  constructor(private current: T) {
    super();
  }

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    this.notify();
  }
}

/** An observable that is computed from other state when it is read, and once after any number of invalidations. */
export class Derived<T> extends Listeners<T> implements Observable<T> {
  private cached: { value: T } | undefined;
  private isCurrent = false;
  private isScheduled = false;

  /** @param compute makes the value, given the one before; returning that one means that nothing has changed */
  constructor(private readonly compute: (previous: T | undefined) => T) {
    super();
  }

  get value(): T {
    if (!this.cached || !this.isCurrent) {
      const value = this.compute(this.cached?.value);
      if (!this.cached || !Object.is(value, this.cached.value)) this.cached = { value };
      this.isCurrent = true;
    }
    return this.cached.value;
  }

  /** Has the value computed again. Listeners are called in a microtask, if it has changed. */
  invalidate(): void {
    this.isCurrent = false;
    if (this.isScheduled || !this.hasListeners) return;
    this.isScheduled = true;
    const before = this.cached;
    queueMicrotask(() => {
      this.isScheduled = false;
      if (this.value !== before?.value) this.notify();
    });
  }
}

/** Calls a listener. Its error is reported and does not affect the caller or other listeners. */
export function call<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: there is nobody else to report to
    console.error(error);
  }
}

/** The previous array if it has the same elements, so that its identity changes only when it changes. */
export const sameIfEqual = <T>(previous: readonly T[] | undefined, next: T[]): readonly T[] =>
  previous?.length === next.length && next.every((element, index) => Object.is(element, previous[index]))
    ? previous
    : next;
