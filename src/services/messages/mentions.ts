import type { Database } from "../../db/connect.ts";
import { mentioningMessages } from "../../db/queries/messages/mentions.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { rowsThatFit } from "./answer-size.ts";

/** A page of the messages that mention a user. */
export interface MentionsPage {
  messages: ChatMessage[];
  /** Where the next page begins; null after the last one. */
  cursor: number | null;
}

/** The messages that mention a user. */
export class Mentions {
  constructor(private readonly options: { database: Database }) {}

  /**
   * Returns messages of others that mention the user, or everybody, in the user's chats, the newest first; fewer if they do
   * not fit into one answer.
   * @param page.before the cursor of the page before
   * @param sizeOf the size of a message in the answer, in bytes
   */
  async list(
    userId: number,
    { limit, before = Number.MAX_SAFE_INTEGER }: { limit: number; before?: number | undefined },
    sizeOf: (message: ChatMessage) => number,
  ): Promise<MentionsPage> {
    const found = await mentioningMessages(this.options.database, { userId, before, limit: limit + 1 });
    const messages = rowsThatFit(found.slice(0, limit), sizeOf);
    const last = messages.at(-1);
    return { messages, cursor: last && messages.length < found.length ? last.id : null };
  }
}
