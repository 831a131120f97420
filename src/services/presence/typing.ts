import type { Actor } from "../../domain/actor.ts";
import type { Database } from "../../db/connect.ts";
import { typingRecipients } from "../../db/queries/presence/typing-recipients.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import { noSuchUser, notInChat } from "../../domain-errors.ts";

/** How long a client shows that somebody types, unless it hears of it again, in milliseconds. */
const ttlMs = 6000;
/** Keystrokes that follow sooner are not told again. */
const everyMs = 2000;
/** In larger groups nobody is told. */
const largestGroup = 50;
const mostRemembered = 100_000;

/** That somebody is writing at the moment: told to who is there, never stored. */
export class Typing {
  private readonly lastTold = new Map<string, number>();

  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  async notify(by: Actor, { chatId }: { chatId: number }): Promise<void> {
    const { userId, requester } = by;
    const scene = await typingRecipients(this.options.database, { chatId, userId, mostMembers: largestGroup + 1 });
    if (!scene) throw notInChat();
    if (scene.blocked) throw noSuchUser();
    if (scene.size > largestGroup || !this.isDue(`${chatId} ${userId}`)) return;
    const { recipientIds } = scene;
    this.options.delivery.publishSignal({ kind: "typing", item: { chatId, userId, ttlMs }, recipientIds, requester });
  }

  private isDue(key: string): boolean {
    const now = Date.now();
    if (now - (this.lastTold.get(key) ?? 0) < everyMs) return false;
    this.lastTold.delete(key);
    this.lastTold.set(key, now);
    const [oldest] = this.lastTold.keys();
    if (this.lastTold.size > mostRemembered && oldest !== undefined) this.lastTold.delete(oldest);
    return true;
  }
}
