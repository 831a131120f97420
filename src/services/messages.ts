import type { Database } from "../db/connect.ts";
import { dialogView } from "../db/queries/membership.ts";
import type { Actor } from "./actor.ts";
import { blocks } from "./blocks.ts";
import type { ChatLog, SentMessage } from "./chat-log.ts";
import { noSuchUser, notMember } from "./refusals.ts";

interface Words {
  content: string;
  /** Sending the same id again gives what was stored, and stores nothing. */
  clientMessageId?: string | undefined;
}

/** What people say to each other. */
export class Messages {
  constructor(private readonly options: { database: Database; chatLog: ChatLog }) {}

  sendToGroup(by: Actor, { groupId, content, clientMessageId }: Words & { groupId: number }): Promise<SentMessage> {
    const draft = { senderId: by.userId, content, clientMessageId };
    return this.options.chatLog.change(by.origin, async (changes) => {
      const group = await changes.lock(groupId);
      const stored = await changes.sentBefore(draft, (message) => message.chatId === groupId && says(message, content));
      if (stored) return stored;
      if (group?.kind !== "group" || !group.members.has(by.userId)) throw notMember();
      return group.append(draft);
    });
  }

  async sendPrivately(
    by: Actor,
    { receiverId, content, clientMessageId }: Words & { receiverId: number },
  ): Promise<SentMessage> {
    const dialogId = await this.openDialog(by.userId, receiverId);
    const draft = { senderId: by.userId, content, clientMessageId };
    return this.options.chatLog.change(by.origin, async (changes) => {
      const dialog = await changes.lock(dialogId);
      const stored = await changes.sentBefore(
        draft,
        (message) => message.chatId === dialogId && says(message, content),
      );
      if (stored) return stored;
      // Deleting an account ends its memberships, of dialogs too.
      if (!dialog?.members.has(receiverId) || !dialog.members.has(by.userId)) throw noSuchUser();
      if (await blocks(receiverId, by.userId, changes.transaction)) throw noSuchUser();
      return dialog.append(draft);
    });
  }

  /**
   * The dialog of two people, made on its first use in a transaction of its own: two people who write to each other
   * for the first time at once find the same one.
   */
  private async openDialog(userId: number, otherId: number): Promise<number> {
    const existing = await dialogView(this.options.database, { userId, otherId });
    if (existing) return existing.chatId;
    return this.options.chatLog.change(undefined, async (changes) => {
      for (const id of [userId, otherId].sort((a, b) => a - b)) {
        if (!(await changes.holdAccount(id))) throw noSuchUser();
      }
      if (await blocks(otherId, userId, changes.transaction)) throw noSuchUser();
      return changes.openDialog(userId, otherId);
    });
  }
}

/** A text that was edited or deleted since cannot be compared any more, and counts as the same. */
const says = (stored: SentMessage, content: string): boolean =>
  stored.event === null && (stored.editedAt !== null || stored.deletedAt !== null || stored.content === content);
