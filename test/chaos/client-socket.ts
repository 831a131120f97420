import { WebSocket } from "ws";
import { recordFrame } from "../support/leak-scan.ts";
import type { Frame } from "./delivery-checker.ts";

const replyTimeoutMs = 20_000;

/** One connection of a client, which matches responses to its requests. */
export class ClientSocket {
  private readonly pendingReplies = new Map<number, (frame: Frame | undefined) => void>();
  private requestCount = 0;

  private constructor(
    private readonly socket: WebSocket,
    /** Called with the message type when a request gets no response in time. */
    private readonly onTimeout: (type: string) => void,
  ) {}

  /** Opens a connection. @returns undefined if the server cannot be reached */
  static async open(port: number, token: string, onTimeout: (type: string) => void): Promise<ClientSocket | undefined> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
    socket.on("error", () => {});
    const opened = await new Promise<boolean>((resolve) => {
      socket.once("open", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
    return opened ? new ClientSocket(socket, onTimeout) : undefined;
  }

  /** @param onFrame called with all frames in the order of their arrival, before their requests are resolved */
  listen(onFrame: (frame: Frame) => void, onClose: () => void): void {
    this.socket.on("message", (data) => {
      recordFrame(String(data));
      const frame: Frame = JSON.parse(String(data));
      onFrame(frame);
      if (!frame.params?.isBroadcast) this.pendingReplies.get(frame.requestId)?.(frame);
    });
    this.socket.on("close", () => {
      onClose();
      for (const resolveReply of [...this.pendingReplies.values()]) resolveReply(undefined);
    });
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Sends a request. @returns its response; undefined if the connection is closed before */
  async request(type: string, params: object): Promise<Frame | undefined> {
    if (!this.isOpen) return undefined;
    const requestId = ++this.requestCount;
    return new Promise((resolve) => {
      const resolveReply = (frame: Frame | undefined) => {
        clearTimeout(timer);
        this.pendingReplies.delete(requestId);
        resolve(frame);
      };
      const timer = setTimeout(() => {
        this.onTimeout(type);
        this.socket.terminate();
      }, replyTimeoutMs);
      this.pendingReplies.set(requestId, resolveReply);
      this.socket.send(JSON.stringify({ type, params, requestId }));
    });
  }

  /** Terminates the connection without a closing handshake. */
  terminate(): void {
    this.socket.terminate();
  }

  /** Stops reading for a while. */
  stall(ms: number): void {
    this.socket.pause();
    setTimeout(() => this.socket.resume(), ms);
  }

  close(): void {
    this.socket.close();
  }
}
