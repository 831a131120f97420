import { WebSocket } from "ws";
import { recordFrame } from "../../../../test/support/leak-scan.ts";
import { defaultFetch } from "../../src/http.ts";
import { type Fetch, Messenger, type MessengerOptions, memory, type Store } from "../../src/index.ts";
import type { WebSocketClass, WebSocketLike } from "../../src/transport.ts";

const never = <T>(): Promise<T> => new Promise<T>(() => {});

/** What a device keeps when its programs are killed: a store, and locks that a killed program releases. */
export class Disk {
  private readonly lastHolders = new Map<string, Promise<unknown>>();

  /** @param store keeps the contents of files too by default, as browsers do */
  constructor(readonly store: Store = { ...memory(), keepsBlobs: true }) {}

  /** The store as one program sees it, until it is killed. */
  openFor(program: Lifetime): Store {
    const { store } = this;
    const whileAlive =
      <Parameters extends unknown[], Result>(operation: (...parameters: Parameters) => Promise<Result>) =>
      async (...parameters: Parameters): Promise<Result> => {
        if (program.isOver) return never();
        try {
          const result = await operation(...parameters);
          return program.isOver ? never() : result;
        } catch (error) {
          if (program.isOver) return never();
          throw error;
        }
      };
    return {
      get: whileAlive(store.get),
      set: whileAlive(store.set),
      delete: whileAlive(store.delete),
      entries: whileAlive(store.entries),
      ...(store.batch && { batch: whileAlive(store.batch) }),
      ...(store.keepsBlobs && { keepsBlobs: true }),
      lock: (name, work) => this.lock(name, work, program),
    };
  }

  /** Reads what is on the disk anew, as the next program does. Only while no program runs. */
  async reopen(): Promise<void> {
    await this.store.close?.();
  }

  private async lock<T>(name: string, work: () => Promise<T>, program: Lifetime): Promise<T> {
    const before = this.lastHolders.get(name) ?? Promise.resolve();
    const result = before.then(() => (program.isOver ? never<T>() : work()));
    this.lastHolders.set(name, Promise.race([result.catch(() => {}), program.over]));
    return result;
  }
}

/** How long a program runs. */
class Lifetime {
  isOver = false;
  end!: () => void;
  readonly over = new Promise<void>((resolve) => {
    this.end = () => {
      this.isOver = true;
      resolve();
    };
  });
}

/** How a program reaches the server, and which SDK it uses. */
export interface ProgramSettings {
  /** The address that is used for one of the messenger's: a load balancer, for example. */
  route?(url: string): string;
  /** The platform's own by default. */
  fetch?: Fetch;
  createMessenger?(options: MessengerOptions): Messenger;
}

/** A program with the SDK, such as a page or a bot, that can be killed. */
export class Program {
  readonly messenger: Messenger;
  private readonly lifetime = new Lifetime();
  private readonly sockets = new Set<WebSocket>();

  constructor(
    url: string,
    disk = new Disk(),
    options: Partial<MessengerOptions> = {},
    private readonly settings: ProgramSettings = {},
  ) {
    const create = settings.createMessenger ?? ((all: MessengerOptions) => new Messenger(all));
    this.messenger = create({
      url,
      store: disk.openFor(this.lifetime),
      WebSocket: this.socketClass(),
      fetch: this.fetch,
      ...options,
    });
  }

  /** Resolves when the program is killed. */
  get over(): Promise<void> {
    return this.lifetime.over;
  }

  get isRunning(): boolean {
    return !this.lifetime.isOver;
  }

  /** Ends the program as `kill -9` does: nothing more is sent, received or stored. */
  kill(): void {
    this.lifetime.end();
    for (const socket of this.sockets) socket.terminate();
    // For its timers: nothing of it reaches the store or the network.
    void this.messenger.close();
  }

  /** Cuts the connection without a closing handshake. */
  disconnect(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  /** Stops reading for a while. */
  stall(ms: number): void {
    for (const socket of this.sockets) {
      if (socket.readyState !== socket.OPEN) continue;
      socket.pause();
      setTimeout(() => socket.resume(), ms);
    }
  }

  private readonly route = (url: string): string => this.settings.route?.(url) ?? url;

  private readonly fetch: Fetch = async (url, options) => {
    if (this.lifetime.isOver) return never();
    const { fetch: send = defaultFetch } = this.settings;
    const response = await send(this.route(url), options);
    return this.lifetime.isOver ? never() : response;
  };

  private socketClass(): WebSocketClass {
    const { sockets, lifetime, route } = this;
    return class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(route(url), protocols);
        sockets.add(this);
        this.on("close", () => sockets.delete(this));
        this.on("message", (data) => recordFrame(String(data)));
        if (lifetime.isOver) this.terminate();
      }
    } as unknown as new (
      url: string,
      protocols: string[],
    ) => WebSocketLike;
  }
}

/** Longer than the longest pause of a messenger between two attempts to connect, which is 30 s. In milliseconds. */
const defaultTimeoutMs = 45_000;

/** Resolves when the value of an observable matches. @throws Error if that takes too long */
export function until<T>(
  observable: { subscribe(listener: (value: T) => void): () => void },
  matches: (value: T) => boolean,
  timeoutMs = defaultTimeoutMs,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let last: T | undefined;
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`the value was not reached; the last one was ${JSON.stringify(last)?.slice(0, 2000)}`));
    }, timeoutMs);
    let unsubscribe = () => {};
    let isDone = false;
    const end = observable.subscribe((value) => {
      last = value;
      if (isDone || !matches(value)) return;
      isDone = true;
      clearTimeout(timer);
      resolve(value);
      queueMicrotask(() => unsubscribe());
    });
    unsubscribe = end;
  });
}

export const isLive = ({ state }: { state: string }): boolean => state === "live";

/** Waits until the messenger is up to date. */
export const untilLive = (messenger: Messenger, timeoutMs?: number) => until(messenger.connection, isLive, timeoutMs);
