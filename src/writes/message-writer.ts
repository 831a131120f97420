import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/connect.ts";
import { isKnownNotCommitted, isRetryableRollback, isTransient } from "../db/database-errors.ts";
import { chatVersions, type Pair, pairKey } from "../db/queries/chats/dialogs.ts";
import { memberState } from "../db/queries/chats/member-state.ts";
import { messagesById } from "../db/queries/messages/messages.ts";
import {
  type MessageToSend,
  type SendResult,
  sendMessages,
  withReplies,
} from "../db/queries/messages/send-messages.ts";
import type { Delivery, EndWrite } from "../delivery/delivery.ts";
import type { Requester } from "../domain/actor.ts";
import type { ChatMessage, SentMessage } from "../domain/message.ts";
import { conflictingClientId, noSuchMessage, noSuchUser, notMember } from "../domain-errors.ts";
import { AppError } from "../errors.ts";
import { type Dialogs, dialogKey } from "../services/chats/dialogs.ts";

/** A message that somebody waits to have stored. */
export interface Send {
  to: { groupId: number } | { receiverId: number };
  senderId: number;
  content: string;
  /** Sending the same id again gives what was stored, and stores nothing. */
  clientMessageId?: string | undefined;
  /** The message of the same chat that this one answers. */
  replyTo?: number | undefined;
  /** Who asked, so that delivery can tell the asker from everyone else. */
  requester: Requester | undefined;
}

interface Waiting {
  send: Send;
  /** Names its chat before it is known which one that is. */
  chatKey: string;
  /** When it arrived, in milliseconds. */
  since: number;
  settle: (outcome: SentMessage | Error) => void;
}

/** A waiting message whose chat is known. */
interface Addressed {
  waiting: Waiting;
  chatId: number;
}

/** What came of an attempt to write. */
interface Written {
  /** What could not be written yet. */
  left: Waiting[];
  /** The database is away or overloaded: there is no sense in going on now. */
  isAway: boolean;
}

/** A transaction on its way. */
interface Group {
  members: readonly Waiting[];
  senderIds: ReadonlySet<number>;
  chats: ReadonlySet<string>;
}

/** More than one transaction should hold locks for. */
const mostAtOnce = 500;
const mostAttempts = 4;
/** Turns of the event loop, some tenths of a millisecond each at the most, for which a group may wait for more. */
const mostTurns = 32;
/** Between two looks at chats that somebody else holds, in milliseconds; and how long to go on looking. */
const heldPauseMs = 5;
const heldAtMostMs = 5000;

/**
 * Stores what people send. It waits for nothing but the transaction on its way: what arrives meanwhile goes into the next,
 * so that a quiet server answers at once and a busy one shares each commit among many. The order of arrival is the
 * order of a chat's messages, and of a sender's. Each message has a verdict of its own, so that one bad message fails no
 * other.
 */
export class SendQueue {
  private waiting: Waiting[] = [];
  private readonly underWay = new Set<Group>();
  private isStarting = false;

  /** @param options.lanes how many transactions may be on their way at once */
  constructor(private readonly options: { database: Database; dialogs: Dialogs; delivery: Delivery; lanes: number }) {}

  /** Settles once the message is stored and delivery has reached it. */
  send(send: Send): Promise<SentMessage> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: SentMessage | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      this.waiting.push({ send, chatKey: chatKeyOf(send), since: Date.now(), settle });
      this.startSoon();
    });
  }

  private startSoon(): void {
    if (this.isStarting) return;
    this.isStarting = true;
    this.startAfter(mostTurns);
  }

  /** After this turn of the event loop, and the next ones as long as each brings more to share the commit. */
  private startAfter(turns: number): void {
    const before = this.waiting.length;
    setImmediate(() => {
      if (turns > 1 && this.waiting.length > before) return this.startAfter(turns - 1);
      this.isStarting = false;
      while (this.underWay.size < this.options.lanes && this.startGroup());
    });
  }

  /**
   * Starts what waits, or, beside a transaction on its way, what has nothing to do with that one: as soon as as many
   * wait as it holds, so that they share commits as well.
   */
  private startGroup(): boolean {
    const members = this.independent().slice(0, mostAtOnce);
    const fewest = Math.max(1, ...[...this.underWay].map((group) => group.members.length));
    if (members.length < fewest) return false;
    const group = {
      members,
      senderIds: new Set(members.map(({ send }) => send.senderId)),
      chats: new Set(members.map(({ chatKey }) => chatKey)),
    };
    const taken = new Set(members);
    this.waiting = this.waiting.filter((waiting) => !taken.has(waiting));
    this.underWay.add(group);
    void this.run(group);
    return true;
  }

  /** Of what waits that which may be stored beside the transactions on their way, in its order. */
  private independent(): Waiting[] {
    if (this.underWay.size === 0) return this.waiting;
    const senderIds = new Set([...this.underWay].flatMap((group) => [...group.senderIds]));
    const chats = new Set([...this.underWay].flatMap((group) => [...group.chats]));
    return this.waiting.filter(({ send: { senderId }, chatKey }) => {
      const isFree = !senderIds.has(senderId) && !chats.has(chatKey);
      // What this sender sends after it, or others to this chat, has to wait as well.
      if (!isFree) {
        senderIds.add(senderId);
        chats.add(chatKey);
      }
      return isFree;
    });
  }

  private async run(group: Group): Promise<void> {
    const later = await this.writeGroup(group.members);
    // Nothing but chats that somebody else holds: a breath, in which others may arrive.
    if (later.length === group.members.length) await wait(heldPauseMs);
    this.underWay.delete(group);
    this.waiting.unshift(...later);
    if (this.waiting.length > 0) this.startSoon();
  }

  /** @returns what could not be written yet, in its order */
  private async writeGroup(group: readonly Waiting[]): Promise<Waiting[]> {
    const { first, again } = withoutRepeats(group);
    const later = new Set(again);
    try {
      const addressed = await this.findChats(first);
      await this.follow(addressed);
      const { left } = await this.write(addressed);
      for (const waiting of left) later.add(waiting);
    } catch (error) {
      // Nothing has been written.
      for (const { settle } of first) settle(error as Error);
    }
    return later.size === 0 ? [] : group.filter((waiting) => later.has(waiting));
  }

  private async write(addressed: readonly Addressed[], attempt = 1): Promise<Written> {
    if (addressed.length === 0) return { left: [], isAway: false };
    const chatIds = [...new Set(addressed.map(({ chatId }) => chatId))];
    const end = this.options.delivery.beginWrite(chatIds);
    let verdicts: SendResult[];
    try {
      verdicts = await sendMessages(this.options.database, addressed.map(toMessage));
    } catch (error) {
      const isRolledBack = isKnownNotCommitted(error);
      end({ inDoubt: !isRolledBack });
      // One of them is to blame (a client id that another process stored meanwhile, or what nobody thought of), or none
      // is and two transactions stood in each other's way.
      const isWorthAnother = isRolledBack && (isRetryableRollback(error) || !isTransient(error));
      if (isWorthAnother && attempt < mostAttempts) {
        return addressed.length === 1 ? this.write(addressed, attempt + 1) : this.writeOneByOne(addressed);
      }
      for (const { waiting } of addressed) waiting.settle(isRolledBack ? (error as Error) : inDoubt(error));
      return { left: [], isAway: isTransient(error) };
    }
    return { left: await this.giveOut(addressed, verdicts, end), isAway: false };
  }

  /** What belongs behind something that could not be written yet waits with it. */
  private async writeOneByOne(addressed: readonly Addressed[]): Promise<Written> {
    const left: Waiting[] = [];
    const held = new Set<string | number>();
    let isAway = false;
    for (const one of addressed) {
      const { send, chatKey } = one.waiting;
      if (isAway || held.has(send.senderId) || held.has(chatKey)) {
        held.add(send.senderId).add(chatKey);
        left.push(one.waiting);
        continue;
      }
      const written = await this.write([one]);
      isAway = written.isAway;
      if (written.left.length > 0) held.add(send.senderId).add(chatKey);
      left.push(...written.left);
    }
    return { left, isAway };
  }

  /** After the commit: has delivery give out what was written, and answers each once delivery has reached it. */
  private async giveOut(
    addressed: readonly Addressed[],
    verdicts: readonly SendResult[],
    end: EndWrite,
  ): Promise<Waiting[]> {
    const left: Waiting[] = [];
    let isInDoubt = true;
    try {
      const messages = await withReplies(this.options.database, verdicts, addressed.map(toMessage));
      for (const [index, one] of addressed.entries()) {
        const verdict = messages[index];
        if (!verdict) throw new Error("a message without a verdict");
        const { waiting } = one;
        if (verdict.kind === "written") {
          const { message, recipientIds } = verdict;
          const given = this.options.delivery.publish({ message, recipientIds, requester: waiting.send.requester });
          // Nobody else waits for a chat whose changes are being read.
          if (given !== undefined) void given.then(() => waiting.settle(message));
          else waiting.settle(message);
        } else if (verdict.kind === "held" && Date.now() - waiting.since < heldAtMostMs) left.push(waiting);
        else if (verdict.kind === "stored") void this.repeat(one, verdict.messageId);
        else waiting.settle(refusalOf(waiting.send, verdict.kind));
      }
      isInDoubt = false;
    } catch (error) {
      for (const { waiting } of addressed) if (!left.includes(waiting)) waiting.settle(inDoubt(error));
    } finally {
      end({ inDoubt: isInDoubt });
    }
    return left;
  }

  /** Delivery has to know where each chat stands before something is added to it. */
  private async follow(addressed: readonly Addressed[]): Promise<void> {
    const { database, delivery } = this.options;
    const unknown = new Set(addressed.map(({ chatId }) => chatId).filter((chatId) => !delivery.isTracked(chatId)));
    if (unknown.size === 0) return;
    for (const { chatId, version } of await chatVersions(database, [...unknown])) delivery.track(chatId, version);
  }

  /** The chat of each message. */
  private async findChats(group: readonly Waiting[]): Promise<Addressed[]> {
    const dialogs = await this.options.dialogs.open(group.flatMap(({ send }) => pairOf(send) ?? []));
    const addressed: Addressed[] = [];
    for (const waiting of group) {
      const { to } = waiting.send;
      const pair = pairOf(waiting.send);
      const chat = "groupId" in to ? to.groupId : pair && dialogs.get(pairKey(pair));
      if (typeof chat === "number") addressed.push({ waiting, chatId: chat });
      else waiting.settle(chat ?? noSuchUser());
    }
    return addressed;
  }

  /** Answers a send that was stored before: with the same message, or with a conflict. */
  private async repeat({ waiting: { send, settle }, chatId }: Addressed, messageId: number): Promise<void> {
    const { database, delivery } = this.options;
    try {
      const [stored] = await messagesById(database, [messageId]);
      // Its commit may have been in doubt until now, and nobody have been told of it.
      if (stored) delivery.advanceTo(stored);
      if (stored?.chatId !== chatId || !hasSameContent(stored, send)) throw conflictingClientId();
      // Who has left still learns that the message was stored, and nothing that has changed since.
      const isMember = (await memberState(database, { chatId, userId: send.senderId })) !== undefined;
      settle({ ...stored, ...(!isMember && asSent(send)), duplicate: true });
    } catch (error) {
      settle(error as Error);
    }
  }
}

/** What a sender knew when they sent it. */
const asSent = ({ content }: Send) => ({ content, groupName: null, replyTo: null, editedAt: null, deletedAt: null });

const clientKeyOf = ({ senderId, clientMessageId }: Send): string | undefined =>
  clientMessageId === undefined ? undefined : `${senderId} ${clientMessageId}`;

const pairOf = ({ to, senderId }: Send): Pair | undefined =>
  "receiverId" in to ? { userId: senderId, otherId: to.receiverId } : undefined;

const chatKeyOf = ({ to, senderId }: Send): string =>
  "groupId" in to ? `${to.groupId}` : dialogKey({ userId: senderId, otherId: to.receiverId });

/** Of one client id only the first goes into a group: the second is answered with what that becomes. */
function withoutRepeats(group: readonly Waiting[]): { first: Waiting[]; again: Waiting[] } {
  const clientIds = new Set<string>();
  const repeaters = new Set<number>();
  const first: Waiting[] = [];
  const again: Waiting[] = [];
  for (const waiting of group) {
    const { senderId } = waiting.send;
    const key = clientKeyOf(waiting.send);
    // What somebody sends is stored in the order in which it was sent.
    if (repeaters.has(senderId) || (key !== undefined && clientIds.has(key))) {
      repeaters.add(senderId);
      again.push(waiting);
    } else first.push(waiting);
    if (key !== undefined) clientIds.add(key);
  }
  return { first, again };
}

/** What was deleted since cannot be compared any more, and counts as the same; of what was edited only the reply can. */
const hasSameContent = (stored: ChatMessage, { content, replyTo }: Send): boolean =>
  stored.event === null &&
  (stored.deletedAt !== null ||
    (stored.replyTo?.id === replyTo && (stored.editedAt !== null || stored.content === content)));

/** Of a commit that may or may not have taken place. */
const inDoubt = (error: unknown): AppError =>
  new AppError("unavailable", "The outcome is unknown. Try again.", { cause: error });

const toMessage = ({ waiting: { send }, chatId }: Addressed): MessageToSend => ({
  chatId,
  senderId: send.senderId,
  receiverId: "receiverId" in send.to ? send.to.receiverId : undefined,
  content: send.content,
  clientMessageId: send.clientMessageId,
  replyTo: send.replyTo,
});

function refusalOf({ to }: Send, verdict: "held" | "refused" | "noReply"): AppError {
  switch (verdict) {
    case "held":
      return new AppError("unavailable", "The chat is busy. Try again.", { retryAfterMs: 1000 });
    case "noReply":
      return noSuchMessage();
    case "refused":
      // Deleting an account ends its memberships, of dialogs too.
      return "groupId" in to ? notMember() : noSuchUser();
  }
}
