import { type Observable, State } from "./observable.ts";
import type { TypingSignal } from "./protocol.ts";

/** The users who are typing in a chat. */
export class Typists {
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly state = new State<readonly number[]>([]);

  get userIds(): Observable<readonly number[]> {
    return this.state;
  }

  apply({ userId, ttlMs }: TypingSignal): void {
    clearTimeout(this.timers.get(userId));
    const timer = setTimeout(() => this.remove(userId), ttlMs);
    this.timers.set(userId, timer);
    if (!this.state.value.includes(userId)) this.state.set([...this.state.value, userId]);
  }

  /** The user has sent the message. */
  remove(userId: number): void {
    clearTimeout(this.timers.get(userId));
    this.timers.delete(userId);
    if (this.state.value.includes(userId)) this.state.set(this.state.value.filter((id) => id !== userId));
  }

  clear(): void {
    for (const userId of [...this.timers.keys()]) this.remove(userId);
  }
}
