import { setTimeout as wait } from "node:timers/promises";
import type { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import { isPassing } from "../db/failures.ts";
import { type ChatMessage, messagesByClientIds } from "../db/queries/messages.ts";
import { blockedPairs, chatsOfMessages, dialogIds, livingChats, type Pair, pairKey } from "../db/queries/send-facts.ts";
import type { Origin } from "../delivery/delivery.ts";
import { AppError } from "../errors.ts";
import { blocks } from "./blocks.ts";
import type { Changes, ChatLog, Draft, Entry, LockedChat, SentMessage } from "./chat-log.ts";
import { conflictingClientId, noSuchMessage, noSuchUser, notMember } from "./refusals.ts";

/** Where a message is sent to. */
export type Addressee = { groupId: number } | { receiverId: number };

/** A message that somebody waits to have stored. */
export interface Send {
  to: Addressee;
  draft: Draft & { content: string };
  origin: Origin | undefined;
}

interface Waiting extends Send {
  /** When it arrived, in milliseconds. */
  since: number;
  settle: (outcome: SentMessage | Error) => void;
}

/** More than one transaction should hold locks for. */
const mostAtOnce = 500;
/** Between two looks at chats that somebody else holds, in milliseconds; and how long to go on looking. */
const heldPauseMs = 5;
const heldAtMostMs = 5000;

/**
 * Stores what people send. One writer and no timer: what arrives while a transaction is on its way goes into the next,
 * so that a quiet server answers at once and a busy one shares each commit among many. The order of arrival is the
 * order of a chat's messages. Each message has a verdict of its own, so that one bad message fails no other.
 */
export class MessageWriter {
  private waiting: Waiting[] = [];
  private writing = false;

  constructor(private readonly options: { database: Database; chatLog: ChatLog }) {}

  /** Settles once the message is stored and delivery has reached it. */
  send(send: Send): Promise<SentMessage> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: SentMessage | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      this.waiting.push({ ...send, settle, since: Date.now() });
      if (!this.writing) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, mostAtOnce);
      const later = await this.writeGroup(group);
      // Nothing but chats that somebody else holds: a breath, in which others may arrive.
      if (later.length === group.length) await wait(heldPauseMs);
      this.waiting.unshift(...later);
    }
    this.writing = false;
  }

  /** @returns what could not be written yet, in its order */
  private async writeGroup(group: Waiting[]): Promise<Waiting[]> {
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

  private async attempt(group: Waiting[]): Promise<Waiting[]> {
    const chatOf = await this.findChats(group);
    const sends = group.filter((send) => chatOf.has(send));
    if (sends.length === 0) return [];

    const { later, outcomes } = await this.options.chatLog.change(undefined, async (changes) => {
      const verdicts = await this.decide(changes, sends, chatOf);
      const written = await changes.appendAll(verdicts.entries);
      for (const [index, { send }] of verdicts.entries.entries()) {
        const message = written[index];
        if (message) verdicts.outcomes.set(send, message);
      }
      return verdicts;
    });
    for (const [send, outcome] of outcomes) send.settle(outcome);
    return later;
  }

  /** The chat of each send. A dialog is opened by its first message, in a transaction of its own. */
  private async findChats(group: readonly Waiting[]): Promise<Map<Waiting, number>> {
    const chatOf = new Map<Waiting, number>();
    const pairs = group.flatMap(({ to, draft }) =>
      "receiverId" in to ? [{ userId: draft.senderId, otherId: to.receiverId }] : [],
    );
    const dialogs = await dialogIds(this.options.database, pairs);
    for (const send of group) {
      const { to, draft } = send;
      if ("groupId" in to) chatOf.set(send, to.groupId);
      else {
        const pair = { userId: draft.senderId, otherId: to.receiverId };
        try {
          const chatId = dialogs.get(pairKey(pair)) ?? (await this.openDialog(pair));
          dialogs.set(pairKey(pair), chatId);
          chatOf.set(send, chatId);
        } catch (error) {
          send.settle(error as Error);
        }
      }
    }
    return chatOf;
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

  /** What becomes of each send, from facts that cannot change while the locks are held. */
  private async decide(
    changes: Changes,
    sends: readonly Waiting[],
    chatOf: ReadonlyMap<Waiting, number>,
  ): Promise<Verdicts> {
    const { chats, held } = await this.lock(changes, [...new Set(chatOf.values())]);
    const facts = await this.readFacts(sends, changes.transaction);
    const verdicts: Verdicts = { later: [], outcomes: new Map(), entries: [] };
    const clientIds = new Set<string>();
    const postponed = new Set<number>();
    for (const send of sends) {
      const { draft, origin } = send;
      const chatId = chatOf.get(send) ?? 0;
      const chat = chats.get(chatId);
      const clientKey = clientKeyOf(draft);
      const stored = facts.stored.get(clientKey ?? "");
      if (stored) verdicts.outcomes.set(send, repeated(stored, chatId, draft, chat));
      else if (
        held.has(chatId) ||
        // The same client id twice in one group: the second is answered with what the first becomes.
        clientIds.has(clientKey ?? "") ||
        // What somebody sends is stored in the order in which it was sent, whatever the chats.
        postponed.has(draft.senderId)
      ) {
        if (Date.now() - send.since > heldAtMostMs) verdicts.outcomes.set(send, chatIsHeld());
        else {
          verdicts.later.push(send);
          postponed.add(draft.senderId);
        }
      } else {
        const refusal = refusalOf(send, chat, facts);
        if (refusal) verdicts.outcomes.set(send, refusal);
        else if (chat) verdicts.entries.push({ send, chat, draft, origin });
        if (clientKey !== undefined) clientIds.add(clientKey);
      }
    }
    return verdicts;
  }

  /** Takes the locks that are free; chats that somebody else holds are left for the next group, and stop nobody. */
  private async lock(changes: Changes, chatIds: readonly number[]) {
    const chats = await changes.lockSome(chatIds, { wait: false });
    const missing = chatIds.filter((id) => !chats.has(id));
    return { chats, held: await livingChats(this.options.database, missing, changes.transaction) };
  }

  private async readFacts(sends: readonly Waiting[], transaction: Transaction): Promise<Facts> {
    const { database } = this.options;
    const keys = sends.flatMap(({ draft: { senderId, clientMessageId } }) =>
      clientMessageId === undefined ? [] : [{ senderId, clientMessageId }],
    );
    const stored = keys.length === 0 ? [] : await messagesByClientIds(database, keys, transaction);
    const pairs = sends.flatMap(({ to, draft }) =>
      "receiverId" in to ? [{ userId: to.receiverId, otherId: draft.senderId }] : [],
    );
    const replies = sends.flatMap(({ draft: { replyTo } }) => (replyTo === undefined ? [] : [replyTo]));
    return {
      stored: new Map(stored.map((message) => [`${message.sender.id} ${message.clientMessageId}`, message])),
      blocked: await blockedPairs(database, pairs, transaction),
      chatOfMessage: await chatsOfMessages(database, replies, transaction),
    };
  }
}

/** What the verdicts of a group depend on, beside the locked chats and who is in them. */
interface Facts {
  /** What was stored before under the client ids of the group. */
  stored: ReadonlyMap<string, ChatMessage>;
  blocked: ReadonlySet<string>;
  chatOfMessage: ReadonlyMap<number, number>;
}

interface Verdicts {
  /** What has to wait for the next group. */
  later: Waiting[];
  outcomes: Map<Waiting, SentMessage | Error>;
  /** What is to be written. */
  entries: (Entry & { send: Waiting })[];
}

const chatIsHeld = () => new AppError("unavailable", "The chat is busy. Try again.", { retryAfterMs: 1000 });

const clientKeyOf = ({ senderId, clientMessageId }: Draft): string | undefined =>
  clientMessageId === undefined ? undefined : `${senderId} ${clientMessageId}`;

/** The answer to a send that was stored before: the same message, or a conflict. */
function repeated(
  stored: ChatMessage,
  chatId: number,
  draft: Draft,
  chat: LockedChat | undefined,
): SentMessage | AppError {
  if (stored.chatId !== chatId || !isSame(stored, draft)) return conflictingClientId();
  // Who has left still learns that the message was stored, and nothing that has changed since.
  const isMember = chat?.members.has(draft.senderId) ?? false;
  return { ...stored, ...(!isMember && { groupName: null, replyTo: null }), duplicate: true };
}

/** A text that was edited or deleted since cannot be compared any more, and counts as the same. */
const isSame = (stored: ChatMessage, { content, replyTo }: Draft): boolean =>
  stored.event === null &&
  stored.replyTo?.id === replyTo &&
  (stored.editedAt !== null || stored.deletedAt !== null || stored.content === content);

/** Why a send is refused; undefined when it is not. Deleting an account ends its memberships, of dialogs too. */
function refusalOf({ to, draft }: Send, chat: LockedChat | undefined, facts: Facts): AppError | undefined {
  const { senderId, replyTo } = draft;
  if ("groupId" in to) {
    if (chat?.kind !== "group" || !chat.members.has(senderId)) return notMember();
  } else {
    const isBlocked = facts.blocked.has(pairKey({ userId: to.receiverId, otherId: senderId }));
    if (!chat?.members.has(to.receiverId) || !chat.members.has(senderId) || isBlocked) return noSuchUser();
  }
  if (replyTo !== undefined && facts.chatOfMessage.get(replyTo) !== chat.id) return noSuchMessage();
  return undefined;
}
