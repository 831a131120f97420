import { type Observable, State } from "./observable.ts";
import type { GroupMember } from "./protocol.ts";

/** A member of a chat. `role` and `joinedAt` are those of groups. */
export type Member = Pick<GroupMember, "userId" | "firstName" | "lastName"> &
  Partial<Pick<GroupMember, "role" | "joinedAt">>;

/** The members of a chat: read when somebody subscribes, and again when they have changed. */
export class Members implements Observable<readonly Member[]> {
  private readonly state = new State<readonly Member[]>([]);
  private subscribers = 0;
  private isCurrent = false;
  private loading: Promise<void> | undefined;

  constructor(private readonly load: () => Promise<readonly Member[]>) {}

  get value(): readonly Member[] {
    return this.state.value;
  }

  subscribe(listener: (value: readonly Member[]) => void): () => void {
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

  /** Reads the list if it is needed and could not be read before. */
  refresh(): void {
    if (this.subscribers === 0 || this.isCurrent || this.loading !== undefined) return;
    this.isCurrent = true;
    this.loading = this.load().then(
      (members) => {
        this.loading = undefined;
        this.state.set(members);
        // It may have changed meanwhile.
        this.refresh();
      },
      () => {
        // The next connection tries again.
        this.loading = undefined;
        this.isCurrent = false;
      },
    );
  }
}
