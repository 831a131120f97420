import { type Bus, isIds, isRecord } from "../bus/bus.ts";

/** How often a process says who is connected to it, in milliseconds. */
const rosterEveryMs = 5000;
/** A process that was silent for this long is gone, and its people with it, in milliseconds. */
const silentMs = 15_000;
/** More processes than any messenger has are not remembered. */
const mostPeers = 1000;

interface Peer {
  userIds: Set<number>;
  heardAt: number;
}

/** What a process tells: everybody who is connected to it, or who has just come and gone. */
interface Roster {
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
      onCame: (userId: number) => void;
      /** Somebody is connected to no other process any more. */
      onWent: (userId: number) => void;
    },
  ) {
    options.bus.subscribe("presence", (body) => {
      if (isRoster(body)) this.hear(body);
    });
    this.timer = setInterval(() => {
      this.forgetSilent();
      this.tellAll();
    }, rosterEveryMs).unref();
    this.tellAll();
  }

  /** Whether somebody is connected to another process. */
  has(userId: number): boolean {
    for (const { userIds } of this.peers.values()) if (userIds.has(userId)) return true;
    return false;
  }

  /** Tells the others that somebody's first socket here was opened, or the last one closed. */
  tell(userId: number, isHere: boolean): void {
    this.publish({ whole: false, here: isHere ? [userId] : [], gone: isHere ? [] : [userId] });
  }

  /** Says that nobody is connected here any more, and hears nothing from now on. */
  stop(): void {
    clearInterval(this.timer);
    this.publish({ whole: true, here: [], gone: [] });
    this.peers.clear();
  }

  private tellAll(): void {
    this.publish({ whole: true, here: this.options.connected(), gone: [] });
  }

  private publish(roster: Omit<Roster, "process">): void {
    this.options.bus.publish("presence", { process: this.self, ...roster });
  }

  private hear({ process, whole, here, gone }: Roster): void {
    const known = this.peers.get(process);
    if (!known && this.peers.size >= mostPeers) return;
    const peer = known ?? { userIds: new Set(), heardAt: 0 };
    peer.heardAt = Date.now();
    this.peers.set(process, peer);
    const now = new Set(here);
    const went = whole ? [...peer.userIds].filter((userId) => !now.has(userId)) : gone;
    for (const userId of here) this.came(peer, userId);
    for (const userId of went) this.went(peer, userId);
    // It has just started, and does not know who is here.
    if (!known) this.tellAll();
  }

  private came(peer: Peer, userId: number): void {
    const isFirst = !this.has(userId);
    peer.userIds.add(userId);
    if (isFirst) this.options.onCame(userId);
  }

  private went(peer: Peer, userId: number): void {
    if (peer.userIds.delete(userId) && !this.has(userId)) this.options.onWent(userId);
  }

  private forgetSilent(): void {
    for (const [process, peer] of this.peers) {
      if (Date.now() - peer.heardAt < silentMs) continue;
      this.peers.delete(process);
      for (const userId of peer.userIds) if (!this.has(userId)) this.options.onWent(userId);
    }
  }
}

const isRoster = (body: unknown): body is Roster =>
  isRecord(body) &&
  typeof body.process === "string" &&
  typeof body.whole === "boolean" &&
  isIds(body.here) &&
  isIds(body.gone);
