import type { Bus } from "../../bus/bus.ts";
import { publish, subscribe } from "../../bus/topic.ts";
import { type PresenceMessage, presenceTopic } from "./presence-topics.ts";

/** How often a process publishes the list of its connected users, in milliseconds. */
const publishIntervalMs = 5000;
/** A process that has published nothing for this long is considered dead, in milliseconds. */
const timeoutMs = 15_000;
/** Messages of further processes are ignored. */
const maxProcesses = 1000;

interface RemoteProcess {
  userIds: Set<number>;
  /** In milliseconds of the monotonic clock. */
  receivedAt: number;
}

/**
 * The users who are connected to other processes. Nothing is stored: each process publishes its changes, and regularly
 * its whole list. So lost messages are corrected, and the users of a killed process go offline.
 */
export class RemotePresence {
  private readonly self = crypto.randomUUID();
  private readonly processes = new Map<string, RemoteProcess>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly options: {
      bus: Bus;
      /** The users who are connected to this process. */
      connectedUserIds: () => number[];
      /** Called when a user connects to another process and was connected to none. */
      onOnline: (userId: number) => void;
      /** Called when a user is no longer connected to any other process. */
      onOffline: (userId: number) => void;
    },
  ) {
    subscribe(options.bus, presenceTopic, (message) => this.receive(message));
    this.timer = setInterval(() => {
      this.removeTimedOut();
      this.publishAll();
    }, publishIntervalMs).unref();
    this.publishAll();
  }

  /** Whether a user is connected to another process. */
  has(userId: number): boolean {
    for (const { userIds } of this.processes.values()) if (userIds.has(userId)) return true;
    return false;
  }

  /** Publishes that a user's first socket here was opened, or the last one was closed. */
  publishChange(userId: number, isConnected: boolean): void {
    this.publish({ whole: false, here: isConnected ? [userId] : [], gone: isConnected ? [] : [userId] });
  }

  /** Publishes that nobody is connected to this process any more, and clears the users of other processes. */
  stop(): void {
    clearInterval(this.timer);
    this.publish({ whole: true, here: [], gone: [] });
    this.processes.clear();
  }

  private publishAll(): void {
    this.publish({ whole: true, here: this.options.connectedUserIds(), gone: [] });
  }

  private publish(message: Omit<PresenceMessage, "process">): void {
    publish(this.options.bus, presenceTopic, { process: this.self, ...message });
  }

  private receive({ process, whole, here, gone }: PresenceMessage): void {
    const known = this.processes.get(process);
    if (!known && this.processes.size >= maxProcesses) return;
    const sender = known ?? { userIds: new Set(), receivedAt: 0 };
    sender.receivedAt = performance.now();
    this.processes.set(process, sender);
    const connected = new Set(here);
    const disconnected = whole ? [...sender.userIds].filter((userId) => !connected.has(userId)) : gone;
    for (const userId of connected) this.addUser(sender, userId);
    for (const userId of disconnected) this.removeUser(sender, userId);
    // A new process does not know yet who is connected here.
    if (!known) this.publishAll();
  }

  private addUser(sender: RemoteProcess, userId: number): void {
    const isFirst = !this.has(userId);
    sender.userIds.add(userId);
    if (isFirst) this.options.onOnline(userId);
  }

  private removeUser(sender: RemoteProcess, userId: number): void {
    if (sender.userIds.delete(userId) && !this.has(userId)) this.options.onOffline(userId);
  }

  private removeTimedOut(): void {
    for (const [id, { userIds, receivedAt }] of this.processes) {
      if (performance.now() - receivedAt < timeoutMs) continue;
      this.processes.delete(id);
      for (const userId of userIds) if (!this.has(userId)) this.options.onOffline(userId);
    }
  }
}
