import { type ClientOptions, WebSocket } from "ws";
import type { AnswerFrame, ErrorFrame, PushFrame } from "../../src/contract/frames.ts";
import type { Infer } from "../../src/contract/schema.ts";
import type { messageTypes } from "../../src/ws/registry.ts";
import { confide, witnessFrame } from "./leak-scan.ts";

type Types = typeof messageTypes;
type ParamsOf<T extends keyof Types> = Infer<Types[T]["params"]>;
type AnswerOf<T extends keyof Types> = AnswerFrame<Infer<Types[T]["data"]>, Infer<Types[T]["item"]>>;
// biome-ignore lint/suspicious/noExplicitAny: a frame as it came, for tests that look at anything in it
type AnyFrame = any;

/** How long a frame may take before the test fails, in milliseconds. */
const patienceMs = 15_000;

export interface Closed {
  code: number;
  reason: string;
}

/** One device of one person: a socket that speaks the contract, typed by the server's own registry. */
export class Device {
  /** Every frame that came, in order. */
  readonly frames: AnyFrame[] = [];
  readonly closed: Promise<Closed>;
  private readonly waiting = new Set<() => void>();
  private requests = 0;
  private pushesSeen = 0;

  private constructor(readonly socket: WebSocket) {
    socket.setMaxListeners(0);
    socket.on("message", (data) => {
      witnessFrame(String(data));
      this.frames.push(JSON.parse(String(data)));
      for (const look of [...this.waiting]) look();
    });
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
    socket.on("error", () => {});
  }

  static async connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<Device> {
    const socket = new WebSocket(url, options.protocols ?? [], options);
    const device = new Device(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    return device;
  }

  /** Asks, and gives the answer; an error answer fails the test. */
  async request<T extends keyof Types>(type: T, params: ParamsOf<T>): Promise<AnswerOf<T>> {
    const answer = await this.ask({ type, params });
    if ("error" in answer) throw new Error(`${type} was refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Asks for what must be refused, and gives the error. */
  async refused(type: string, params: unknown): Promise<ErrorFrame> {
    const answer = await this.ask({ type, params });
    if (!("error" in answer)) throw new Error(`${type} was not refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Sends a frame with a fresh `requestId` and gives its answer, which may take `patience` milliseconds. */
  ask(frame: object, patience = patienceMs): Promise<AnyFrame> {
    const requestId = `request-${++this.requests}`;
    this.send({ ...frame, requestId });
    return this.frame((candidate) => candidate.requestId === requestId, patience);
  }

  /** Sends a frame as it is. */
  send(frame: object | string): void {
    if (typeof frame === "object" && "params" in frame) confide(Object(frame.params).content, "text");
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Sends a frame as it is, and gives the next frame that is not a push. */
  sendRaw(frame: object | string): Promise<AnyFrame> {
    const before = this.frames.length;
    this.send(frame);
    return this.frame((candidate, index) => index >= before && !candidate.params?.isBroadcast);
  }

  /** The next push that no test has looked at yet, of this type if one is given. */
  async nextPush(type?: string): Promise<PushFrame> {
    const push = await this.frame(
      (candidate, index) =>
        index >= this.pushesSeen && candidate.params?.isBroadcast && (type === undefined || candidate.type === type),
    );
    this.pushesSeen = this.frames.indexOf(push) + 1;
    return push;
  }

  /** Every push so far. To know that one did not come, wait first for something that comes after it. */
  pushes(): PushFrame[] {
    return this.frames.filter((frame) => frame.params?.isBroadcast);
  }

  /** Waits for a round trip: what was pushed to this device before, has come. */
  async settle(): Promise<void> {
    await this.request("listLastMessage", { limit: 1, page: 1 });
  }

  async close(): Promise<Closed> {
    this.socket.close();
    return this.closed;
  }

  private frame(wanted: (frame: AnyFrame, index: number) => boolean, patience = patienceMs): Promise<AnyFrame> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.frames.find(wanted);
        if (found === undefined) return;
        stop();
        resolve(found);
      };
      const give = (why: string) => () => {
        stop();
        reject(new Error(`${why}; frames so far: ${JSON.stringify(this.frames).slice(-4000)}`));
      };
      const timer = setTimeout(give("the frame did not come"), patience);
      const onClose = give("the socket was closed");
      const stop = () => {
        clearTimeout(timer);
        this.waiting.delete(look);
        this.socket.off("close", onClose);
      };
      this.socket.once("close", onClose);
      this.waiting.add(look);
      look();
    });
  }
}
