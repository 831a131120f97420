import { setTimeout as wait } from "node:timers/promises";
import type { WebSocket } from "ws";
import type { ChatJob, ChatResult, Stream } from "./chat.ts";
import { openSockets } from "./open-sockets.ts";
import { serveLoad } from "./serve-load.ts";

/** Limit for waiting for the last responses and pushes, in milliseconds. */
const drainTimeoutMs = 15_000;
/** Number of unread pages, each of 100 messages of maximum length, 430 KB. */
const unreadPages = 31;
/** Time until the server stops writing to a stalled reader, in milliseconds. */
const stallDelayMs = 3000;
const padding = "and the rest is what people say to each other all day";

interface OpenMessage {
  dueAt: number;
  acknowledged: boolean;
  /** The sockets that received it, if several must. */
  seenBy: Set<number> | undefined;
  missing: number;
}

/** Runs one job, and checks that each message gets one response and one push per recipient. */
class ChatLoad {
  private readonly streams: { stream: Stream; next: number; unacknowledged: number; open: Map<number, OpenMessage> }[];
  private readonly streamOfSocket = new Map<number, number>();
  private readonly result = { acknowledged: 0, delivered: 0, faults: {} as Record<string, number> };
  private readonly latencies: number[] = [];
  private readonly startedAt = performance.now();
  /** The prefix of the client ids, which ascend with time like those of real clients. */
  private readonly runId = Date.now().toString(36);
  private sending = true;
  private openMessages = 0;
  private lastAt = 0;
  private onDrained = () => {};

  constructor(
    private readonly job: ChatJob,
    private readonly sockets: readonly WebSocket[],
  ) {
    this.streams = job.streams.map((stream) => ({ stream, next: 0, unacknowledged: 0, open: new Map() }));
    for (const [index, { sender }] of job.streams.entries()) this.streamOfSocket.set(sender, index);
    for (const [index, socket] of sockets.entries()) {
      socket.on("message", (data) => this.receive(index, String(data)));
      socket.on("close", () => this.addFault("a socket was closed"));
    }
  }

  async run(): Promise<ChatResult> {
    const { seconds, perSecond, inFlight } = this.job;
    if (perSecond === undefined) {
      for (const index of this.streams.keys()) for (let n = 0; n < inFlight; n++) this.send(index, performance.now());
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    } else await this.pace(perSecond, seconds * 1000);

    this.sending = false;
    if (this.openMessages > 0) {
      const drained = new Promise<void>((resolve) => {
        this.onDrained = resolve;
      });
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, drainTimeoutMs))]);
    }
    for (const { open } of this.streams) {
      for (const message of open.values()) {
        if (!message.acknowledged) this.addFault("no response");
        if (message.missing > 0) this.addFault("not delivered", message.missing);
      }
    }
    return {
      ...this.result,
      elapsedMs: this.lastAt - this.startedAt,
      latenciesMs: Float64Array.from(this.latencies).sort(),
    };
  }

  /** Each message has a fixed due time, so that a slow server causes higher latencies instead of fewer sends. */
  private pace(perSecond: number, durationMs: number): Promise<void> {
    let sent = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const sinceMs = performance.now() - this.startedAt;
        for (; sent < (Math.min(sinceMs, durationMs) / 1000) * perSecond; sent++) {
          this.send(sent % this.streams.length, this.startedAt + (sent / perSecond) * 1000);
        }
        if (sinceMs < durationMs) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
  }

  private send(index: number, dueAt: number): void {
    const state = this.streams[index];
    if (!state) return;
    const { sender, to, recipients } = state.stream;
    const n = state.next++;
    const type = "groupId" in to ? "messageInGroup" : "privateMessage";
    const clientMessageId = `${this.runId}-${String(index).padStart(3, "0")}-${String(n).padStart(7, "0")}`;
    const params = { ...to, content: `~${index}.${n}~ ${padding}`, clientMessageId };
    const seenBy = recipients > 1 ? new Set<number>() : undefined;
    state.open.set(n, { dueAt, acknowledged: false, seenBy, missing: recipients });
    state.unacknowledged++;
    this.openMessages++;
    this.sockets[sender]?.send(JSON.stringify({ type, params, requestId: n }));
  }

  private receive(socket: number, text: string): void {
    // Parsing each of a thousand equal pushes would make the load process the bottleneck.
    if (text.includes('"isBroadcast":true')) this.receivePush(socket, text);
    else this.receiveResponse(socket, text);
  }

  private receivePush(socket: number, text: string): void {
    const from = text.indexOf("~") + 1;
    const [index = Number.NaN, n = Number.NaN] = text.slice(from, text.indexOf("~", from)).split(".").map(Number);
    const state = this.streams[index];
    const message = state?.open.get(n);
    if (!state || n >= state.next) {
      this.addFault("a push without a send");
      return;
    }
    if (!message || message.missing === 0 || message.seenBy?.has(socket)) {
      this.addFault("delivered twice");
      return;
    }
    message.seenBy?.add(socket);
    message.missing--;
    this.result.delivered++;
    this.lastAt = performance.now();
    this.latencies.push(this.lastAt - message.dueAt);
    this.removeIfDone(state.open, n, message);
  }

  private receiveResponse(socket: number, text: string): void {
    const index = this.streamOfSocket.get(socket) ?? -1;
    const state = this.streams[index];
    const { success, requestId, code } = JSON.parse(text);
    const message = state?.open.get(requestId);
    if (!state || !message || message.acknowledged) {
      this.addFault("two responses");
      return;
    }
    if (!success) {
      this.addFault(`rejected: ${code}`);
      message.missing = 0;
    } else this.result.acknowledged++;
    message.acknowledged = true;
    this.lastAt = performance.now();
    state.unacknowledged--;
    this.removeIfDone(state.open, requestId, message);
    if (this.sending && this.job.perSecond === undefined) this.send(index, this.lastAt);
  }

  private removeIfDone(open: Map<number, OpenMessage>, n: number, message: OpenMessage): void {
    if (!message.acknowledged || message.missing > 0) return;
    open.delete(n);
    this.openMessages--;
    if (!this.sending && this.openMessages === 0) this.onDrained();
  }

  private addFault(what: string, count = 1): void {
    this.result.faults[what] = (this.result.faults[what] ?? 0) + count;
  }
}

/** Stops reading with more unread data than the socket buffers of both kernels hold. */
async function stallReaders(url: string, { tokens, chatId }: { tokens: string[]; chatId: number }): Promise<void> {
  for (const socket of await openSockets(url, tokens)) {
    socket.pause();
    const page = JSON.stringify({ type: "getMessages", params: { chatId, limit: 100 } });
    for (let n = 0; n < unreadPages; n++) socket.send(page);
  }
  await wait(stallDelayMs);
}

await serveLoad<ChatJob, ChatResult>(async (job) => {
  const sockets = await openSockets(job.url, job.tokens);
  if (job.stalledReaders) await stallReaders(job.url, job.stalledReaders);
  return () => new ChatLoad(job, sockets).run();
});
