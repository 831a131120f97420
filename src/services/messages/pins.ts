import type { Database } from "../../db/connect.ts";
import { memberState } from "../../db/queries/chats/member-state.ts";
import { pinCount, pinnedMessages } from "../../db/queries/messages/pins.ts";
import type { Actor } from "../../domain/actor.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { notInChat } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { Page } from "./history.ts";
import { type MessageAccess, type MessageChanges, requireOpenChat } from "./message-changes.ts";

/** Pinned messages of one chat. */
const maxPins = 50;

/** Pinned messages. */
export class Pins {
  constructor(private readonly options: { database: Database; messageChanges: MessageChanges }) {}

  /**
   * Pins a message, or removes its pin: in a group its admins and owner, in a dialog both people. If it is as wanted
   * already, nothing is stored.
   */
  set(by: Actor, { messageId, on }: { messageId: number; on: boolean }): Promise<ChatMessage> {
    return this.options.messageChanges.change(by, {
      messageId,
      requireAllowed: requirePinnable,
      work: async ({ chat, message, tx }) => {
        if ((message.pinned !== null) === on) return message;
        if (on && (await pinCount(this.options.database, chat.id, tx.transaction)) >= maxPins) {
          throw new AppError("limit", `A chat has at most ${maxPins} pinned messages`);
        }
        return chat.setPin({ messageId, userId: by.userId }, on);
      },
    });
  }

  /** Returns the pinned messages of a chat of the caller, the newest pin first. */
  async list(userId: number, { chatId, limit, page }: Page & { chatId: number }): Promise<ChatMessage[]> {
    const { database } = this.options;
    const state = await memberState(database, { chatId, userId });
    if (!state) throw notInChat();
    const { clearedSeq } = state;
    return pinnedMessages(database, { chatId, readerId: userId, clearedSeq, limit, offset: (page - 1) * limit });
  }
}

function requirePinnable(access: MessageAccess): void {
  if (access.isEvent) throw new AppError("forbidden", "A system message cannot be pinned");
  if (access.isDeleted) throw new AppError("forbidden", "This message is deleted");
  if (access.isGroup && !access.isModerator) {
    throw new AppError("forbidden", "Only admins and the owner of a group may pin its messages");
  }
  requireOpenChat(access);
}
