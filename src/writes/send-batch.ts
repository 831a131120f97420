import type { Database } from "../db/connect.ts";
import { isRetryableRollback, isTransient } from "../db/database-errors.ts";
import { type Pair, pairKey } from "../db/queries/chats/dialogs.ts";
import {
  type MessageToSend,
  type SendResult,
  sendMessages,
  withFilesAndReplies,
} from "../db/queries/messages/send-messages.ts";
import { isSameSend } from "../db/queries/messages/sent-messages.ts";
import type { Requester } from "../domain/actor.ts";
import type { Change } from "../domain/change.ts";
import type { MentionedPeople, SentMessage } from "../domain/message.ts";
import { mayNotMentionAll, noSuchMessage, noSuchUser, notMember, unusableFiles } from "../domain-errors.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Committer, OutcomeUnknownError, type Published } from "./commit.ts";
import type { Dialogs } from "./dialogs.ts";
import type { RepeatedSends } from "./repeated-sends.ts";
import type { OrderedSend } from "./send-queue.ts";

/** A message to send. */
export interface SendRequest extends MentionedPeople {
  to: { groupId: number } | { receiverId: number };
  senderId: number;
  content: string;
  /** A repeated send with the same id returns the stored message, and stores nothing. */
  clientMessageId?: string | undefined;
  /** The message of the same chat that this one replies to. */
  replyTo?: number | undefined;
  /** Files of the sender that are in no message yet. */
  fileIds: readonly string[];
  /** The request that asked for it: its client gets the answer instead of a push. */
  requester: Requester | undefined;
}

/** A send that waits to be stored. */
export interface QueuedSend extends SendRequest, OrderedSend {
  /** When it was queued, in milliseconds of the monotonic clock. */
  queuedAt: number;
  settle: (outcome: SentMessage | Error) => void;
}

/** A send whose chat is known. */
interface ResolvedSend {
  send: QueuedSend;
  chatId: number;
}

/** The outcome of an attempt to store sends. */
interface Attempt {
  /** The sends that could not be stored yet, in their order. */
  unsent: QueuedSend[];
  /** Whether the database is unavailable or overloaded, so that it makes no sense to go on now. */
  isDatabaseAway: boolean;
}

/** How long a send waits for a chat that another transaction holds, in milliseconds. */
const maxHeldMs = 5000;

/** Stores batches of sends, each in one transaction. Each send has a result of its own, so a bad one fails no other. */
export class BatchWriter {
  constructor(
    private readonly options: {
      database: Database;
      dialogs: Dialogs;
      committer: Committer;
      repeatedSends: RepeatedSends;
      metrics?: Pick<Metrics, "sendBatchSize" | "sendCommitSeconds"> | undefined;
    },
  ) {}

  /**
   * Stores the sends in their order, and settles each when its message has been delivered. No two may have the same
   * sender and client id.
   * @returns those that could not be stored yet, in their order
   */
  async write(sends: readonly QueuedSend[]): Promise<QueuedSend[]> {
    try {
      const { unsent } = await this.store(await this.resolveChats(sends));
      return unsent;
    } catch (error) {
      // Nothing was stored.
      for (const { settle } of sends) settle(error as Error);
      return [];
    }
  }

  /** Finds the chat of each send, and settles those that have none. */
  private async resolveChats(sends: readonly QueuedSend[]): Promise<ResolvedSend[]> {
    const dialogs = await this.options.dialogs.open(sends.flatMap((send) => pairOf(send) ?? []));
    const resolved: ResolvedSend[] = [];
    for (const send of sends) {
      const pair = pairOf(send);
      const chat = "groupId" in send.to ? send.to.groupId : pair && dialogs.get(pairKey(pair));
      if (typeof chat === "number") resolved.push({ send, chatId: chat });
      else send.settle(chat ?? noSuchUser());
    }
    return resolved;
  }

  private async store(resolved: readonly ResolvedSend[]): Promise<Attempt> {
    if (resolved.length === 0) return { unsent: [], isDatabaseAway: false };
    const { database, committer } = this.options;
    const chatIds = [...new Set(resolved.map(({ chatId }) => chatId))];
    const messages = resolved.map(toMessage);
    const tracked = new Set(chatIds.filter((chatId) => committer.isTracked(chatId)));
    try {
      const published = await committer.commit(chatIds, async (handle) => {
        const stored = await handle.commit(() => this.storeMessages(messages));
        const results = await withFilesAndReplies(database, stored, messages);
        return { result: results, changes: changesOf(resolved, results) };
      });
      return { unsent: this.settleResults(resolved, tracked, published), isDatabaseAway: false };
    } catch (error) {
      const isUnknown = error instanceof OutcomeUnknownError;
      const cause = isUnknown ? error.cause : error;
      // One of several may be to blame.
      const isWorthSplitting = !isUnknown && (isRetryableRollback(error) || !isTransient(error));
      if (isWorthSplitting && resolved.length > 1) return this.storeOneByOne(resolved);
      for (const { send } of resolved) send.settle(error as Error);
      return { unsent: [], isDatabaseAway: isTransient(cause) };
    }
  }

  private async storeMessages(messages: readonly MessageToSend[]): Promise<SendResult[]> {
    const { database, metrics } = this.options;
    if (!metrics) return sendMessages(database, messages);
    const startedAt = performance.now();
    const results = await sendMessages(database, messages);
    metrics.sendCommitSeconds.observe((performance.now() - startedAt) / 1000);
    metrics.sendBatchSize.observe(messages.length);
    return results;
  }

  /** Stores each send in a transaction of its own. Sends behind one that could not be stored yet wait with it. */
  private async storeOneByOne(resolved: readonly ResolvedSend[]): Promise<Attempt> {
    const unsent: QueuedSend[] = [];
    const blocked = new Set<number | string>();
    let isDatabaseAway = false;
    for (const one of resolved) {
      const { senderId, chatKey } = one.send;
      const mustWait: boolean = isDatabaseAway || blocked.has(senderId) || blocked.has(chatKey);
      const attempt: Attempt = mustWait ? { unsent: [one.send], isDatabaseAway } : await this.store([one]);
      isDatabaseAway = attempt.isDatabaseAway;
      if (attempt.unsent.length > 0) blocked.add(senderId).add(chatKey);
      unsent.push(...attempt.unsent);
    }
    return { unsent, isDatabaseAway };
  }

  /**
   * Settles each send according to its result.
   * @returns those whose chat is held by another transaction
   */
  private settleResults(
    resolved: readonly ResolvedSend[],
    tracked: ReadonlySet<number>,
    { result: results, deliveries }: Published<readonly SendResult[]>,
  ): QueuedSend[] {
    const unsent: QueuedSend[] = [];
    let written = 0;
    for (const [index, one] of resolved.entries()) {
      const result = results[index];
      const { send } = one;
      if (result?.kind === "written") {
        const delivery = deliveries[written++];
        // A chat whose missing changes are being read delays no other.
        if (delivery) void delivery.then(() => send.settle(result.message), send.settle);
        else send.settle(result.message);
      } else if (result?.kind === "stored") void this.answerRepeat(one, result.messageId);
      else if (result?.kind === "held" && performance.now() - send.queuedAt < maxHeldMs) unsent.push(send);
      else if (result?.kind === "refused" && tracked.has(one.chatId)) void this.refuseLate(one);
      else if (result) send.settle(errorOf(send, result.kind));
    }
    return unsent;
  }

  /**
   * Refuses a send to a chat whose version was known before. For other chats, among them all that do not exist, it was read
   * first: without the same read here, the time of the answer would tell strangers which groups are active.
   */
  private async refuseLate({ send, chatId }: ResolvedSend): Promise<void> {
    await this.options.committer.readVersions([chatId]).catch(() => {});
    send.settle(errorOf(send, "refused"));
  }

  /** Answers a repeated send with the stored message, or with a conflict if the two differ. */
  private async answerRepeat({ send, chatId }: ResolvedSend, messageId: number): Promise<void> {
    const { repeatedSends } = this.options;
    try {
      send.settle(
        await repeatedSends.answer(messageId, {
          text: send,
          isSame: (sent) => sent.chatId === chatId && isSameSend(sent, send),
        }),
      );
    } catch (error) {
      send.settle(error as Error);
    }
  }
}

function changesOf(resolved: readonly ResolvedSend[], results: readonly SendResult[]): Change[] {
  const changes: Change[] = [];
  for (const [index, { send }] of resolved.entries()) {
    const result = results[index];
    if (!result) throw new Error("send_messages returned fewer results than there were messages");
    if (result.kind !== "written") continue;
    const { message, recipientIds } = result;
    changes.push({ message, recipientIds, requester: send.requester });
  }
  return changes;
}

const pairOf = ({ to, senderId }: SendRequest): Pair | undefined =>
  "receiverId" in to ? { userId: senderId, otherId: to.receiverId } : undefined;

const toMessage = ({ send, chatId }: ResolvedSend): MessageToSend => ({
  chatId,
  senderId: send.senderId,
  receiverId: "receiverId" in send.to ? send.to.receiverId : undefined,
  content: send.content,
  clientMessageId: send.clientMessageId,
  replyTo: send.replyTo,
  fileIds: send.fileIds,
  mentions: send.mentions,
  mentionsAll: send.mentionsAll,
});

function errorOf({ to }: SendRequest, kind: "held" | "refused" | "noReply" | "noFiles" | "notForAll"): AppError {
  switch (kind) {
    case "held":
      return new AppError("unavailable", "The chat is busy. Try again.", { retryAfterMs: 1000 });
    case "noReply":
      return noSuchMessage();
    case "noFiles":
      return unusableFiles();
    case "notForAll":
      return mayNotMentionAll();
    case "refused":
      // Deleting an account ends its memberships, in dialogs too.
      return "groupId" in to ? notMember() : noSuchUser();
  }
}
