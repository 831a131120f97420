import type { Json, Messenger, Store, Write } from "../../src/index.ts";
import { Link } from "./model-link.ts";
import type { ModelServer } from "./model-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

type Sdk = typeof import("../../src/index.ts");

/** What is on the disk of a device, and the locks of the programs that use it. */
export class ModelDisk {
  readonly values = new Map<string, string>();
  private readonly locks = new Map<string, { program: ModelProgram; start(): void }[]>();
  private busyUntil = 0;

  constructor(readonly time: VirtualTime) {}

  /** Does something on the disk, in the order of the calls. */
  run<T>(program: ModelProgram, work: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.busyUntil = Math.max(this.busyUntil, this.time.now + this.time.between(0, 3));
      this.time.schedule(this.busyUntil - this.time.now, () => {
        if (program.isKilled) return;
        const result = work();
        // It may be killed when the disk is written and before it knows.
        this.time.schedule(this.time.between(0, 1), () => {
          if (!program.isKilled) resolve(result);
        });
      });
    });
  }

  lock<T>(program: ModelProgram, name: string, work: () => Promise<T>): Promise<T> {
    const queue = this.locks.get(name) ?? [];
    this.locks.set(name, queue);
    return new Promise((resolve, reject) => {
      const request = {
        program,
        start: () =>
          this.time.runAs(program, () => {
            work()
              .then(resolve, reject)
              .finally(() => this.release(name, (one) => one === request));
          }),
      };
      queue.push(request);
      if (queue.length === 1) request.start();
    });
  }

  releaseAllOf(program: ModelProgram): void {
    for (const name of this.locks.keys()) this.release(name, (one) => one.program === program);
  }

  private release(name: string, isReleased: (request: { program: ModelProgram; start(): void }) => boolean): void {
    const queue = this.locks.get(name) ?? [];
    const holder = queue[0];
    const kept = queue.filter((request) => !isReleased(request));
    this.locks.set(name, kept);
    if (kept[0] !== holder) kept[0]?.start();
  }
}

/** A running program with a messenger, such as a tab of a browser. When it is killed, nothing of it happens any more. */
export class ModelProgram {
  isKilled = false;
  readonly messenger: Messenger;
  private readonly links: Link[] = [];

  constructor(
    private readonly server: ModelServer,
    readonly disk: ModelDisk,
    sdk: Sdk,
  ) {
    const program = this;
    const { time } = server;
    class WebSocket extends Link {
      constructor(_url: string, protocols: string[]) {
        super(server, program, protocols);
        program.links.push(this);
      }
    }
    this.messenger = time.runAs(
      this,
      () =>
        new sdk.Messenger({
          url: "http://model",
          store: this.store(),
          WebSocket,
          fetch: (url, init) => this.untilKilled(server.fetch(url, { ...init, body: String(init.body ?? "{}") })),
          ...(process.env.MODEL_LOG !== undefined && { log: console }),
        }),
    );
  }

  /** Does something as this program. */
  run<T>(work: (messenger: Messenger) => T): T {
    return this.server.time.runAs(this, () => work(this.messenger));
  }

  kill(): void {
    this.isKilled = true;
    for (const link of this.links) link.kill();
    this.server.time.removeTimersOf(this);
    this.disk.releaseAllOf(this);
  }

  /** Has the client receive a push that the server has not sent. */
  readonly push = (item: object): void => {
    const { type, ...fields } = { type: "unknown", ...item };
    const params = { data: null, item: fields, isBroadcast: true };
    for (const link of this.links) link.toClient(JSON.stringify({ type, success: true, params }));
  };

  /** Loses the connection, or has it look alive while nothing arrives. */
  disconnect(how: "lose" | "stall"): void {
    for (const link of this.links) if (link.readyState < 2) link[how]();
  }

  private store(): Store {
    const { values } = this.disk;
    const run = <T>(work: () => T) => this.disk.run(this, work);
    const write = ({ key, value }: Write) => {
      if (value === undefined) values.delete(key);
      else values.set(key, JSON.stringify(value));
    };
    const parse = (text: string): Json => JSON.parse(text);
    // As a real one does, it takes the value at the time of the call.
    const copy = (writes: readonly Write[]): Write[] => structuredClone([...writes]);
    const batch = async (writes: readonly Write[]) => {
      const copies = copy(writes);
      await run(() => copies.forEach(write));
    };
    return {
      get: (key) =>
        run(() => {
          const text = values.get(key);
          return text === undefined ? undefined : parse(text);
        }),
      set: (key, value) => batch([{ key, value }]),
      delete: (key) => batch([{ key }]),
      entries: (prefix = "") =>
        run(() =>
          [...values]
            .filter(([key]) => key.startsWith(prefix))
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, text]): [string, Json] => [key, parse(text)]),
        ),
      batch,
      lock: (name, work) => this.disk.lock(this, name, work),
    };
  }

  private untilKilled<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.isKilled || resolve(value),
        (error) => this.isKilled || reject(error),
      );
    });
  }
}
