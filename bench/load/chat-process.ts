import { setTimeout as wait } from "node:timers/promises";
import type { WebSocket } from "ws";
import { openSockets } from "./open-sockets.ts";
import { serveLoad } from "./serve-load.ts";
import type { Stream, TalkJob, TalkResult } from "./talk.ts";

/** How long the last answers and pushes may take, in milliseconds. */
const lastWordsMs = 15_000;
/** Pages of 100 of the longest messages, 430 KB each. */
const unreadPages = 31;
/** Until the server has given up answering who does not read, in milliseconds. */
const stopsWithinMs = 3000;
const padding = "and the rest is what people say to each other all day";

interface OpenMessage {
  dueAt: number;
  acknowledged: boolean;
  /** The sockets it was pushed to; a set only where there can be several. */
  seenBy: Set<number> | undefined;
  missing: number;
}

/** One job: sends, and sees to it that each message is answered once and pushed once to everyone. */
class Talk {
  private readonly streams: { stream: Stream; next: number; unanswered: number; open: Map<number, OpenMessage> }[];
  private readonly streamOfSocket = new Map<number, number>();
  private readonly result = { acknowledged: 0, delivered: 0, faults: {} as Record<string, number> };
  private readonly latencies: number[] = [];
  private readonly startedAt = performance.now();
  /** In client ids: they rise with time, as those of real clients should. */
  private readonly run = Date.now().toString(36);
  private sending = true;
  private openMessages = 0;
  private lastAt = 0;
  private onQuiet = () => {};

  constructor(
    private readonly job: TalkJob,
    private readonly sockets: readonly WebSocket[],
  ) {
    this.streams = job.streams.map((stream) => ({ stream, next: 0, unanswered: 0, open: new Map() }));
    for (const [index, { sender }] of job.streams.entries()) this.streamOfSocket.set(sender, index);
    for (const [index, socket] of sockets.entries()) {
      socket.on("message", (data) => this.take(index, String(data)));
      socket.on("close", () => this.fault("a socket was closed"));
    }
  }

  async finish(): Promise<TalkResult> {
    const { seconds, perSecond, inFlight } = this.job;
    if (perSecond === undefined) {
      for (const index of this.streams.keys()) for (let n = 0; n < inFlight; n++) this.send(index, performance.now());
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    } else await this.pace(perSecond, seconds * 1000);

    this.sending = false;
    if (this.openMessages > 0) {
      const quiet = new Promise<void>((resolve) => {
        this.onQuiet = resolve;
      });
      await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, lastWordsMs))]);
    }
    for (const { open } of this.streams) {
      for (const message of open.values()) {
        if (!message.acknowledged) this.fault("not answered");
        if (message.missing > 0) this.fault("not delivered", message.missing);
      }
    }
    return {
      ...this.result,
      elapsedMs: this.lastAt - this.startedAt,
      latenciesMs: Float64Array.from(this.latencies).sort(),
    };
  }

  /** Each message is due at a moment fixed before, so that a slow server makes latencies longer, not sends rarer. */
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
    const clientMessageId = `${this.run}-${String(index).padStart(3, "0")}-${String(n).padStart(7, "0")}`;
    const params = { ...to, content: `~${index}.${n}~ ${padding}`, clientMessageId };
    const seenBy = recipients > 1 ? new Set<number>() : undefined;
    state.open.set(n, { dueAt, acknowledged: false, seenBy, missing: recipients });
    state.unanswered++;
    this.openMessages++;
    this.sockets[sender]?.send(JSON.stringify({ type, params, requestId: n }));
  }

  private take(socket: number, text: string): void {
    // Parsing each of a thousand equal pushes would make the load slower than any server.
    if (text.includes('"isBroadcast":true')) this.takePush(socket, text);
    else this.takeAnswer(socket, text);
  }

  private takePush(socket: number, text: string): void {
    const from = text.indexOf("~") + 1;
    const [index = Number.NaN, n = Number.NaN] = text.slice(from, text.indexOf("~", from)).split(".").map(Number);
    const state = this.streams[index];
    const message = state?.open.get(n);
    if (!state || n >= state.next) {
      this.fault("a push that nobody sent");
      return;
    }
    if (!message || message.missing === 0 || message.seenBy?.has(socket)) {
      this.fault("delivered twice");
      return;
    }
    message.seenBy?.add(socket);
    message.missing--;
    this.result.delivered++;
    this.lastAt = performance.now();
    this.latencies.push(this.lastAt - message.dueAt);
    this.settle(state.open, n, message);
  }

  private takeAnswer(socket: number, text: string): void {
    const index = this.streamOfSocket.get(socket) ?? -1;
    const state = this.streams[index];
    const { success, requestId, code } = JSON.parse(text);
    const message = state?.open.get(requestId);
    if (!state || !message || message.acknowledged) {
      this.fault("answered twice");
      return;
    }
    if (!success) {
      this.fault(`refused: ${code}`);
      message.missing = 0;
    } else this.result.acknowledged++;
    message.acknowledged = true;
    this.lastAt = performance.now();
    state.unanswered--;
    this.settle(state.open, requestId, message);
    if (this.sending && this.job.perSecond === undefined) this.send(index, this.lastAt);
  }

  private settle(open: Map<number, OpenMessage>, n: number, message: OpenMessage): void {
    if (!message.acknowledged || message.missing > 0) return;
    open.delete(n);
    this.openMessages--;
    if (!this.sending && this.openMessages === 0) this.onQuiet();
  }

  private fault(what: string, count = 1): void {
    this.result.faults[what] = (this.result.faults[what] ?? 0) + count;
  }
}

/** Leaves more unread than the kernels on both ends take for a reader that stopped. */
async function stopReading(url: string, { tokens, chatId }: { tokens: string[]; chatId: number }): Promise<void> {
  for (const socket of await openSockets(url, tokens)) {
    socket.pause();
    const page = JSON.stringify({ type: "getMessages", params: { chatId, limit: 100 } });
    for (let n = 0; n < unreadPages; n++) socket.send(page);
  }
  await wait(stopsWithinMs);
}

await serveLoad<TalkJob, TalkResult>(async (job) => {
  const sockets = await openSockets(job.url, job.tokens);
  if (job.stopped) await stopReading(job.url, job.stopped);
  return () => new Talk(job, sockets).finish();
});
