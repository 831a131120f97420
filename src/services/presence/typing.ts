import type { Database } from "../../db/connect.ts";
import { typingRecipients } from "../../db/queries/presence/typing-recipients.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Actor } from "../../domain/actor.ts";
import { noSuchUser, notInChat } from "../../domain-errors.ts";

/** How long clients show the typing indicator after a notification, in milliseconds. */
const ttlMs = 6000;
/** The minimum time between two notifications of one user in one chat, in milliseconds. */
const minIntervalMs = 2000;
/** In larger groups there are no notifications. */
const maxGroupSize = 50;
const maxRemembered = 100_000;

/** Notifies connected members that somebody is typing. Best-effort; nothing is stored. */
export class Typing {
  private readonly lastNotified = new Map<string, number>();

  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  /** @throws AppError of kind "notMember" outside of the chat, "notFound" if the other person of a dialog blocks the user */
  async notify(by: Actor, { chatId }: { chatId: number }): Promise<void> {
    const { userId, requester } = by;
    const chat = await typingRecipients(this.options.database, { chatId, userId, maxMembers: maxGroupSize + 1 });
    if (!chat) throw notInChat();
    if (chat.blocked) throw noSuchUser();
    if (chat.size > maxGroupSize || !this.isDue(`${chatId} ${userId}`)) return;
    const { recipientIds } = chat;
    this.options.delivery.publishSignal({ kind: "typing", item: { chatId, userId, ttlMs }, recipientIds, requester });
  }

  private isDue(key: string): boolean {
    const now = performance.now();
    if (now - (this.lastNotified.get(key) ?? Number.NEGATIVE_INFINITY) < minIntervalMs) return false;
    this.lastNotified.delete(key);
    this.lastNotified.set(key, now);
    const [oldest] = this.lastNotified.keys();
    if (this.lastNotified.size > maxRemembered && oldest !== undefined) this.lastNotified.delete(oldest);
    return true;
  }
}
