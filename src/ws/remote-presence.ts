import { type Bus, isIds, isRecord } from "../bus/bus.ts";

/** How often a process says who is connected to it, in milliseconds. */
const publishIntervalMs = 5000;
/** A process that was silent for this long is gone, and its people with it, in milliseconds. */
const timeoutMs = 15_000;
/** More processes than any messenger has are not remembered. */
const maxProcesses = 1000;

interface Peer {
  userIds: Set<number>;
  receivedAt: number;
}

/** What a process tells: everybody who is connected to it, or who has just come and gone. */
interface PresenceAnnouncement {
  process: string;
  /** `here` is everybody, and whoever is not in it is not there. */
  whole: boolean;
  here: number[];
  gone: number[];
}

/**
 * Who is connected to the other processes, as far as they have said lately. Nothing is kept outside of the processes:
 * each tells who comes and goes, and now and then everybody, so that what was lost is mended, and a process that was
 * killed leaves nobody online.
 */
export class RemotePresence {
  private readonly self = crypto.randomUUID();
  private readonly peers = new Map<string, Peer>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly options: {
      bus: Bus;
      /** Who is connected to this process. */
      connected: () => number[];
      /** Somebody is connected to another process, who was connected to none of them. */
      onOnline: (userId: number) => void;
      /** Somebody is connected to no other process any more. */
      onOffline: (userId: number) => void;
    },
  ) {
    options.bus.subscribe("presence", (body) => {
      if (isAnnouncement(body)) this.receive(body);
    });
    this.timer = setInterval(() => {
      this.removeTimedOut();
      this.publishAll();
    }, publishIntervalMs).unref();
    this.publishAll();
  }

  /** Whether somebody is connected to another process. */
  has(userId: number): boolean {
    for (const { userIds } of this.peers.values()) if (userIds.has(userId)) return true;
    return false;
  }

  /** Tells the others that somebody's first socket here was opened, or the last one closed. */
  publishChange(userId: number, isHere: boolean): void {
    this.publish({ whole: false, here: isHere ? [userId] : [], gone: isHere ? [] : [userId] });
  }

  /** Says that nobody is connected here any more, and hears nothing from now on. */
  stop(): void {
    clearInterval(this.timer);
    this.publish({ whole: true, here: [], gone: [] });
    this.peers.clear();
  }

  private publishAll(): void {
    this.publish({ whole: true, here: this.options.connected(), gone: [] });
  }

  private publish(announcement: Omit<PresenceAnnouncement, "process">): void {
    this.options.bus.publish("presence", { process: this.self, ...announcement });
  }

  private receive({ process, whole, here, gone }: PresenceAnnouncement): void {
    const known = this.peers.get(process);
    if (!known && this.peers.size >= maxProcesses) return;
    const peer = known ?? { userIds: new Set(), receivedAt: 0 };
    peer.receivedAt = Date.now();
    this.peers.set(process, peer);
    const now = new Set(here);
    const left = whole ? [...peer.userIds].filter((userId) => !now.has(userId)) : gone;
    for (const userId of here) this.online(peer, userId);
    for (const userId of left) this.offline(peer, userId);
    // It has just started, and does not know who is here.
    if (!known) this.publishAll();
  }

  private online(peer: Peer, userId: number): void {
    const isFirst = !this.has(userId);
    peer.userIds.add(userId);
    if (isFirst) this.options.onOnline(userId);
  }

  private offline(peer: Peer, userId: number): void {
    if (peer.userIds.delete(userId) && !this.has(userId)) this.options.onOffline(userId);
  }

  private removeTimedOut(): void {
    for (const [process, peer] of this.peers) {
      if (Date.now() - peer.receivedAt < timeoutMs) continue;
      this.peers.delete(process);
      for (const userId of peer.userIds) if (!this.has(userId)) this.options.onOffline(userId);
    }
  }
}

const isAnnouncement = (body: unknown): body is PresenceAnnouncement =>
  isRecord(body) &&
  typeof body.process === "string" &&
  typeof body.whole === "boolean" &&
  isIds(body.here) &&
  isIds(body.gone);
