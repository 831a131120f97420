import { type ClientOptions, WebSocket } from "ws";
import type { AnswerFrame, ErrorFrame, PushFrame } from "../../src/contract/frames.ts";
import type { Infer } from "../../src/contract/schema.ts";
import type { messageTypes } from "../../src/ws/registry.ts";
import { recordFrame, registerSecret } from "./leak-scan.ts";

type Types = typeof messageTypes;
type ParamsOf<T extends keyof Types> = Infer<Types[T]["params"]>;
type AnswerOf<T extends keyof Types> = AnswerFrame<Infer<Types[T]["data"]>, Infer<Types[T]["item"]>>;
// biome-ignore lint/suspicious/noExplicitAny: a received frame, of which tests check any field
type AnyFrame = any;

/** Default limit for waiting for a frame, in milliseconds. */
const defaultTimeoutMs = 15_000;

export interface SocketClose {
  code: number;
  reason: string;
}

/** A WebSocket client for one device of a user. Requests and responses are typed by the server's message registry. */
export class Device {
  /** All received frames, in order. */
  readonly frames: AnyFrame[] = [];
  readonly closed: Promise<SocketClose>;
  private readonly frameListeners = new Set<() => void>();
  private requestCount = 0;
  private firstUnreadIndex = 0;

  private constructor(readonly socket: WebSocket) {
    socket.setMaxListeners(0);
    socket.on("message", (data) => {
      recordFrame(String(data));
      this.frames.push(JSON.parse(String(data)));
      for (const check of [...this.frameListeners]) check();
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

  /** Sends a request and returns the response. @throws Error on an error response */
  async request<T extends keyof Types>(type: T, params: ParamsOf<T>): Promise<AnswerOf<T>> {
    const response = await this.exchange({ type, params });
    if ("error" in response) throw new Error(`${type} was rejected: ${JSON.stringify(response)}`);
    return response;
  }

  /** Sends a request that must be rejected and returns the error frame. @throws Error on a success response */
  async requestError(type: string, params: unknown): Promise<ErrorFrame> {
    const response = await this.exchange({ type, params });
    if (!("error" in response)) throw new Error(`${type} was not rejected: ${JSON.stringify(response)}`);
    return response;
  }

  /** Sends a frame with a new `requestId` and returns the response, which must come within `timeoutMs`. */
  exchange(frame: object, timeoutMs = defaultTimeoutMs): Promise<AnyFrame> {
    const requestId = `request-${++this.requestCount}`;
    this.send({ ...frame, requestId });
    return this.waitForFrame((candidate) => candidate.requestId === requestId, timeoutMs);
  }

  /** Sends a frame unchanged. */
  send(frame: object | string): void {
    if (typeof frame === "object" && "params" in frame) registerSecret(Object(frame.params).content, "text");
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Sends a frame unchanged and returns the next received frame that is not a push. */
  sendRaw(frame: object | string): Promise<AnyFrame> {
    const before = this.frames.length;
    this.send(frame);
    return this.waitForFrame((candidate, index) => index >= before && !candidate.params?.isBroadcast);
  }

  /** Returns the next unread push, of the given type if there is one. */
  async nextPush(type?: string): Promise<PushFrame> {
    const push = await this.waitForFrame(
      (candidate, index) =>
        index >= this.firstUnreadIndex &&
        candidate.params?.isBroadcast &&
        (type === undefined || candidate.type === type),
    );
    this.firstUnreadIndex = this.frames.indexOf(push) + 1;
    return push;
  }

  /** All pushes so far. To check that a push was not sent, first wait for a frame that would follow it. */
  pushes(): PushFrame[] {
    return this.frames.filter((frame) => frame.params?.isBroadcast);
  }

  /** Makes a round trip: every push sent to this device before has then been received. */
  async settle(): Promise<void> {
    await this.request("listLastMessage", { limit: 1, page: 1 });
  }

  async close(): Promise<SocketClose> {
    this.socket.close();
    return this.closed;
  }

  private waitForFrame(
    wanted: (frame: AnyFrame, index: number) => boolean,
    timeoutMs = defaultTimeoutMs,
  ): Promise<AnyFrame> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.frames.find(wanted);
        if (found === undefined) return;
        stop();
        resolve(found);
      };
      const failWith = (why: string) => () => {
        stop();
        reject(new Error(`${why}; frames so far: ${JSON.stringify(this.frames).slice(-4000)}`));
      };
      const timer = setTimeout(failWith("the frame was not received in time"), timeoutMs);
      const onClose = failWith("the socket was closed");
      const stop = () => {
        clearTimeout(timer);
        this.frameListeners.delete(check);
        this.socket.off("close", onClose);
      };
      this.socket.once("close", onClose);
      this.frameListeners.add(check);
      check();
    });
  }
}
