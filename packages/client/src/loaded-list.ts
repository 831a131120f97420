import { type Observable, State, sameIfEqual } from "./observable.ts";

/** A list that the server has: read when somebody subscribes, and again when it has changed. */
export class LoadedList<Row> implements Observable<readonly Row[]> {
  private readonly state = new State<readonly Row[]>([]);
  private subscribers = 0;
  private isCurrent = false;
  private loading: Promise<void> | undefined;

  /** @param pause resolves after a while on the same connection */
  constructor(
    private readonly load: () => Promise<readonly Row[]>,
    private readonly pause: () => Promise<void>,
  ) {}

  get value(): readonly Row[] {
    return this.state.value;
  }

  subscribe(listener: (value: readonly Row[]) => void): () => void {
    this.subscribers++;
    const unsubscribe = this.state.subscribe(listener);
    this.refresh();
    return () => {
      this.subscribers--;
      unsubscribe();
    };
  }

  /** Notes that the list has changed. */
  invalidate(): void {
    this.isCurrent = false;
    this.refresh();
  }

  /** Applies a change that was received. What is being read may not contain it yet. */
  protected change(apply: (rows: readonly Row[]) => readonly Row[]): void {
    if (this.loading !== undefined) this.isCurrent = false;
    else if (this.isCurrent) this.state.set(apply(this.value));
  }

  /** Reads the list if it is needed and could not be read before. */
  refresh(): void {
    if (this.subscribers === 0 || this.isCurrent || this.loading !== undefined) return;
    this.isCurrent = true;
    this.loading = this.load().then(
      (rows) => {
        this.loading = undefined;
        this.state.set(sameIfEqual(this.value, [...rows]));
        // It may have changed meanwhile.
        this.refresh();
      },
      () => {
        this.loading = undefined;
        this.isCurrent = false;
        // The next connection tries again too.
        void this.pause().then(() => this.refresh());
      },
    );
  }
}
