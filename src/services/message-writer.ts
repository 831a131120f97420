import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/connect.ts";
import { isPassing } from "../db/failures.ts";
import { chatVersions, dialogsOf, type Pair, pairKey } from "../db/queries/chats.ts";
import { chatView } from "../db/queries/membership.ts";
import { type ChatMessage, messagesById } from "../db/queries/messages.ts";
import { sendMessages, type Verdict } from "../db/queries/send-messages.ts";
import type { Delivery, Origin } from "../delivery/delivery.ts";
import { AppError } from "../errors.ts";
import { blocks } from "./blocks.ts";
import type { ChatLog, SentMessage } from "./chat-log.ts";
import { conflictingClientId, noSuchMessage, noSuchUser, notMember } from "./refusals.ts";

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
  origin: Origin | undefined;
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

/** A dialog to be found, or opened by the first of a pair. */
interface Opening {
  pair: Pair;
  chatKey: string;
}

/** A transaction on its way. */
interface Group {
  members: readonly Waiting[];
  senderIds: ReadonlySet<number>;
  chats: ReadonlySet<string>;
}

/** More than one transaction should hold locks for. */
const mostAtOnce = 500;
/** Between two looks at chats that somebody else holds, in milliseconds; and how long to go on looking. */
const heldPauseMs = 5;
const heldAtMostMs = 5000;
/** How many dialogs are opened side by side: some connections are left to everyone else. */
const dialogsAtATime = 4;
/** Dialogs never end, so which one a pair has can be remembered: for this many pairs. */
const mostDialogs = 100_000;

/**
 * Stores what people send. One writer and no timer: what arrives while a transaction is on its way goes into the next,
 * so that a quiet server answers at once and a busy one shares each commit among many. The order of arrival is the
 * order of a chat's messages, and of a sender's. Each message has a verdict of its own, so that one bad message fails no
 * other.
 */
export class MessageWriter {
  private waiting: Waiting[] = [];
  private readonly underWay = new Set<Group>();
  private isDue = false;
  private readonly dialogs = new Map<string, number>();

  /** @param options.lanes how many transactions may be on their way at once */
  constructor(private readonly options: { database: Database; chatLog: ChatLog; delivery: Delivery; lanes: number }) {}

  /** Settles once the message is stored and delivery has reached it. */
  send(send: Send): Promise<SentMessage> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: SentMessage | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      this.waiting.push({ send, chatKey: chatKeyOf(send), since: Date.now(), settle });
      this.startSoon();
    });
  }

  /** After what else was read in this turn of the event loop. */
  private startSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
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
    try {
      return await this.attempt(group);
    } catch (error) {
      if (group.length === 1 || isPassing(error) || error instanceof AppError) {
        for (const { settle } of group) settle(error as Error);
        return [];
      }
      // One of them is to blame: a client id that another process stored meanwhile, or what nobody thought of.
      const later: Waiting[] = [];
      for (const one of group) later.push(...(await this.writeGroup([one])));
      return later;
    }
  }

  private async attempt(group: readonly Waiting[]): Promise<Waiting[]> {
    const { first, again } = withoutRepeats(group);
    const addressed = await this.findChats(first);
    if (addressed.length === 0) return again;
    const verdicts = await this.write(addressed);

    const later = new Set(again);
    for (const [index, one] of addressed.entries()) {
      const { waiting } = one;
      const verdict = verdicts[index];
      if (!verdict) throw new Error("a message without a verdict");
      if (verdict.kind === "held" && Date.now() - waiting.since < heldAtMostMs) later.add(waiting);
      else if (verdict.kind === "stored") void this.repeat(one, verdict.messageId);
      else waiting.settle(outcomeOf(waiting.send, verdict));
    }
    return later.size === 0 ? [] : group.filter((waiting) => later.has(waiting));
  }

  /** Writes, and has delivery give out what was written. */
  private async write(addressed: readonly Addressed[]): Promise<Verdict[]> {
    const { database, delivery } = this.options;
    const chatIds = [...new Set(addressed.map(({ chatId }) => chatId))];
    await this.follow(chatIds);
    const drafts = addressed.map(({ waiting: { send }, chatId }) => ({
      chatId,
      senderId: send.senderId,
      receiverId: "receiverId" in send.to ? send.to.receiverId : undefined,
      content: send.content,
      clientMessageId: send.clientMessageId,
      replyTo: send.replyTo,
    }));
    const end = delivery.begin(chatIds);
    let verdicts: Verdict[];
    try {
      verdicts = await sendMessages(database, drafts);
    } catch (error) {
      end({ inDoubt: true });
      throw error;
    }
    const given = verdicts.map((verdict, index) =>
      verdict.kind === "written"
        ? delivery.announce({
            message: verdict.message,
            recipientIds: verdict.recipientIds,
            origin: addressed[index]?.waiting.send.origin,
          })
        : undefined,
    );
    end({ inDoubt: false });
    await Promise.all(given);
    return verdicts;
  }

  /** Delivery has to know where each chat stands before something is added to it. */
  private async follow(chatIds: readonly number[]): Promise<void> {
    const { database, delivery } = this.options;
    const unknown = chatIds.filter((chatId) => !delivery.follows(chatId));
    if (unknown.length === 0) return;
    for (const { chatId, version } of await chatVersions(database, unknown)) delivery.follow(chatId, version);
  }

  /** The chat of each message. A dialog is opened by its first message, in a transaction of its own. */
  private async findChats(group: readonly Waiting[]): Promise<Addressed[]> {
    const openings = new Map<string, Opening>();
    for (const { send, chatKey } of group) {
      if ("groupId" in send.to || this.dialogs.has(chatKey)) continue;
      const pair = { userId: send.senderId, otherId: send.to.receiverId };
      // Each way of its own: one of the two may be blocked.
      openings.set(pairKey(pair), { pair, chatKey });
    }
    const refusals = openings.size > 0 ? await this.findDialogs([...openings.values()]) : new Map<string, Error>();
    const addressed: Addressed[] = [];
    for (const waiting of group) {
      const { send, chatKey } = waiting;
      const chatId = "groupId" in send.to ? send.to.groupId : this.dialogs.get(chatKey);
      if (chatId !== undefined) addressed.push({ waiting, chatId });
      else waiting.settle(refusals.get(chatKey) ?? noSuchUser());
    }
    return addressed;
  }

  /** Finds or opens dialogs. @returns why some could not be opened */
  private async findDialogs(openings: readonly Opening[]): Promise<Map<string, Error>> {
    const refusals = new Map<string, Error>();
    const pairs = openings.map(({ pair }) => pair);
    const found = await dialogsOf(this.options.database, pairs);
    for (let start = 0; start < openings.length; start += dialogsAtATime) {
      const some = openings.slice(start, start + dialogsAtATime).map(async ({ pair, chatKey }) => {
        try {
          this.remember(chatKey, found.get(pairKey(pair)) ?? (await this.openDialog(pair)));
        } catch (error) {
          refusals.set(chatKey, error as Error);
        }
      });
      await Promise.all(some);
    }
    return refusals;
  }

  private remember(pair: string, chatId: number): void {
    this.dialogs.set(pair, chatId);
    const [oldest] = this.dialogs.keys();
    if (this.dialogs.size > mostDialogs && oldest !== undefined) this.dialogs.delete(oldest);
  }

  private openDialog({ userId, otherId }: Pair): Promise<number> {
    return this.options.chatLog.change(undefined, async (changes) => {
      for (const id of [userId, otherId].sort((a, b) => a - b)) {
        if (!(await changes.holdAccount(id))) throw noSuchUser();
      }
      if (await blocks(otherId, userId, changes.transaction)) throw noSuchUser();
      return changes.openDialog(userId, otherId);
    });
  }

  /** Answers a send that was stored before: with the same message, or with a conflict. */
  private async repeat({ waiting: { send, settle }, chatId }: Addressed, messageId: number): Promise<void> {
    const { database } = this.options;
    try {
      const [stored] = await messagesById(database, [messageId]);
      if (stored?.chatId !== chatId || !hasSameContent(stored, send)) throw conflictingClientId();
      // Who has left still learns that the message was stored, and nothing that has changed since.
      const isMember = (await chatView(database, { chatId, userId: send.senderId })) !== undefined;
      settle({ ...stored, ...(!isMember && { groupName: null, replyTo: null }), duplicate: true });
    } catch (error) {
      settle(error as Error);
    }
  }
}

const clientKeyOf = ({ senderId, clientMessageId }: Send): string | undefined =>
  clientMessageId === undefined ? undefined : `${senderId} ${clientMessageId}`;

const chatKeyOf = ({ to, senderId }: Send): string =>
  "groupId" in to ? `${to.groupId}` : `${Math.min(senderId, to.receiverId)} ${Math.max(senderId, to.receiverId)}`;

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

/** A text that was edited or deleted since cannot be compared any more, and counts as the same. */
const hasSameContent = (stored: ChatMessage, { content, replyTo }: Send): boolean =>
  stored.event === null &&
  stored.replyTo?.id === replyTo &&
  (stored.editedAt !== null || stored.deletedAt !== null || stored.content === content);

function outcomeOf({ to }: Send, verdict: Exclude<Verdict, { kind: "stored" }>): ChatMessage | AppError {
  switch (verdict.kind) {
    case "written":
      return verdict.message;
    case "held":
      return new AppError("unavailable", "The chat is busy. Try again.", { retryAfterMs: 1000 });
    case "noReply":
      return noSuchMessage();
    case "refused":
      // Deleting an account ends its memberships, of dialogs too.
      return "groupId" in to ? notMember() : noSuchUser();
  }
}
