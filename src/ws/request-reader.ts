import type { FairQueue, FairQueues } from "../concurrency/fair-queue.ts";
import { errorCodes } from "../contract/error-codes.ts";
import { requestId as requestIdRule } from "../contract/fields.ts";
import {
  type AnswerFrame,
  answerFrame,
  type ErrorFrame,
  errorFrame,
  type RequestId,
  unknownRequestType,
} from "../contract/frames.ts";
import { check, object } from "../contract/schema.ts";
import type { Requester } from "../domain/actor.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";
import { AppError, withFieldIn } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { RateLimits } from "../services/limits/rate-limits.ts";
import type { Connection } from "./connection.ts";
import { FloodGuard, type FloodLimits } from "./flood-guard.ts";
import type { AnyMessageType, WsServices } from "./message-type.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { registry } from "./registry.ts";
import type { Request } from "./reply-order.ts";
import { RequestSocket, type RequestSocketOptions } from "./request-socket.ts";
import { VerificationGate } from "./verification-gate.ts";

export interface RequestReaderOptions extends RequestSocketOptions {
  services: WsServices;
  /** Rejects with "forbidden" if a user has to confirm the e-mail address first. */
  requireVerified: (userId: number) => Promise<void>;
  limits: RateLimits;
  floodLimits: FloodLimits;
  /** Records every frame that is answered with an error. */
  refusals?: RefusalLog;
  /** Run all requests except sends, which have a queue of their own, so that no user can occupy the whole database. */
  fairQueues: FairQueues;
  asAppError: (error: unknown) => AppError;
  log: Logger;
  /** Counts the requests. */
  metrics?: Pick<Metrics, "requests" | "requestSeconds"> | undefined;
}

/** A valid frame of a known type. */
interface TypedFrame {
  messageType: AnyMessageType;
  params: unknown;
  requestId: RequestId | undefined;
}

/** Unknown keys are ignored, except "__proto__", which `check` rejects. Most frames need no such check. */
const anyFrame = object({});
const prototypeKey = /__proto__|\\u/;

/** An answer counts as one more request for each of these bytes: 20 requests a second are 1.25 MiB a second. */
const bytesPerRequest = 64 * 1024;

/** In the metrics, instead of what a client sent as type. */
const unknownTypeLabel = "unknown";

/** Made once: making a schema takes far longer than applying it. */
const requestIdSchema = requestIdRule();

/** Reads the frames of all connections into requests. Each request is rate limited, validated and passed to its handler. */
export class RequestReader {
  private readonly guards = new WeakMap<Connection, FloodGuard>();

  private readonly verification: VerificationGate;

  constructor(private readonly options: RequestReaderOptions) {
    const { fairQueues, requireVerified } = options;
    this.verification = new VerificationGate((userId) => fairQueues.reads.run(userId, () => requireVerified(userId)));
  }

  /** Reads a frame of a connection. Never throws: a malformed frame becomes a request that is answered with an error. */
  read(connection: Connection, text: string): Request {
    const frame = parseObject(text);
    if (!frame) {
      const error = { code: "BAD_JSON", message: "A frame must be one JSON object" } as const;
      return this.malformed(connection, errorFrame(unknownRequestType, error));
    }
    const messageType = typeof frame.type === "string" ? registry.get(frame.type) : undefined;
    const type = messageType?.type ?? unknownRequestType;
    let requestId: RequestId | undefined;
    try {
      requestId = readRequestId(frame);
      if (!messageType) {
        const error = { code: "UNKNOWN_TYPE", message: "There is no such type" } as const;
        return this.malformed(connection, errorFrame(type, error, requestId));
      }
      if (prototypeKey.test(text)) check(anyFrame, frame, { label: "frame" });
    } catch (error) {
      return this.malformed(connection, this.errorFrameOf(type, requestId, error));
    }
    const typed: TypedFrame = { messageType, params: frame.params, requestId };
    return {
      pipelined: messageType.pipelined ?? false,
      answer: (requester) => this.answer(connection, typed, requester),
      answered: (bytes) => this.chargeLargeAnswer(connection, messageType, bytes),
      abort: () => this.refuse(connection, this.errorFrameOf(type, requestId, serverStopping())),
    };
  }

  /** Records a ping or an unsolicited pong. */
  recordControlFrame(connection: Connection): void {
    this.guardOf(connection).recordControl();
  }

  private async answer(
    connection: Connection,
    { messageType, params: rawParams, requestId }: TypedFrame,
    requester: Requester,
  ): Promise<AnswerFrame | ErrorFrame> {
    const { metrics } = this.options;
    const startedAt = metrics ? performance.now() : 0;
    try {
      const guard = this.guardOf(connection);
      if (!guard.isUncounted(messageType)) await guard.admit(limitOf(messageType));
      const params = check(messageType.params, rawParams, { label: "params" });
      if (connection.claims.isUnverified && !messageType.readOnly) await this.verification.pass(connection);
      const { userId } = connection;
      const { services } = this.options;
      const socket = new RequestSocket(this.options, connection, requester);
      const handle = () =>
        messageType.handle({ user: { userId, requester }, services, socket }, params).catch((error) => {
          throw error instanceof AppError ? withFieldIn("params", error) : error;
        });
      const queue = this.queueOf(messageType);
      const answer = await (queue ? queue.run(userId, handle) : handle());
      if (metrics) record(metrics, { type: messageType.type, outcome: "ok", startedAt });
      return answerFrame(messageType.type, answer, requestId);
    } catch (error) {
      const frame = this.errorFrameOf(messageType.type, requestId, error);
      if (metrics) record(metrics, { type: messageType.type, outcome: frame.code, startedAt });
      return this.refuse(connection, frame);
    }
  }

  /** A large answer counts as several requests, as its size costs the server and the network more. */
  private chargeLargeAnswer({ userId }: Connection, messageType: AnyMessageType, bytes: number): void {
    const points = Math.floor(bytes / bytesPerRequest);
    const { limits, log } = this.options;
    if (points === 0) return;
    limits
      .charge(limitOf(messageType), userId, points)
      .catch((error) => log.warn({ err: error }, "a large answer was not counted"));
  }

  private queueOf(messageType: AnyMessageType): FairQueue | undefined {
    const { reads, changes } = this.options.fairQueues;
    if (!changesChat(messageType)) return reads;
    return messageType.pipelined ? undefined : changes;
  }

  private malformed(connection: Connection, frame: ErrorFrame): Request {
    return {
      pipelined: true,
      answer: async () => {
        this.guardOf(connection).recordMalformed();
        this.options.metrics?.requests.add(unknownTypeLabel, frame.code);
        return this.refuse(connection, frame);
      },
      abort: () => this.refuse(connection, frame),
    };
  }

  private refuse(connection: Connection, frame: ErrorFrame): ErrorFrame {
    this.options.refusals?.record(connection, frame);
    return frame;
  }

  /** Made when a connection first needs it: most sockets are silent, and there may be many. */
  private guardOf(connection: Connection): FloodGuard {
    const existing = this.guards.get(connection);
    if (existing) return existing;
    const { limits, floodLimits } = this.options;
    const guard = new FloodGuard({
      limits: floodLimits,
      consume: (limit) => limits.consume(limit, connection.userId),
      disconnect: (code, reason) => void connection.finish().then(() => connection.close(code, reason)),
    });
    this.guards.set(connection, guard);
    return guard;
  }

  private errorFrameOf(type: string, requestId: RequestId | undefined, error: unknown): ErrorFrame {
    const { asAppError, log } = this.options;
    const { kind, message, field, retryAfterMs, cause } = asAppError(error);
    const code = errorCodes[kind];
    if (kind !== "internal") return errorFrame(type, { code, message, field, retryAfterMs }, requestId);
    const errorId = crypto.randomUUID();
    log.error({ err: cause, errorId, type }, "request failed");
    return errorFrame(type, { code, message: `${message}; quote ${errorId} when you report it` }, requestId);
  }
}

function record(
  { requests, requestSeconds }: Pick<Metrics, "requests" | "requestSeconds">,
  { type, outcome, startedAt }: { type: string; outcome: string; startedAt: number },
): void {
  requests.add(type, outcome);
  requestSeconds.observe(type, (performance.now() - startedAt) / 1000);
}

const serverStopping = () => new AppError("unavailable", "The server is stopping. Try again.", { retryAfterMs: 1000 });

/** Whether a type changes a chat: its push is such a change. */
const changesChat = ({ push }: AnyMessageType): boolean => push?.change !== undefined;

const limitOf = (messageType: AnyMessageType): RateLimitName =>
  messageType.limit ?? (changesChat(messageType) ? "messagesPerUser" : "requestsPerUser");

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readRequestId = (frame: Record<string, unknown>): RequestId | undefined =>
  frame.requestId === undefined ? undefined : check(requestIdSchema, frame.requestId, { label: "requestId" });
