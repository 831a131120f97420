import type { Database } from "../../db/connect.ts";
import { type MessageAccess, messageAccess } from "../../db/queries/chats/member-state.ts";
import type { Actor } from "../../domain/actor.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { noSuchMessage, noSuchUser } from "../../domain-errors.ts";
import type { ChatTransaction, ChatWriter } from "../../writes/chat-transaction.ts";
import type { LockedChat } from "../../writes/locked-chat.ts";

export type { MessageAccess };

/** A message whose chat is locked. */
export interface LockedMessage {
  chat: LockedChat;
  message: ChatMessage;
  tx: ChatTransaction;
}

/** A change of one message. */
export interface RequestedChange {
  messageId: number;
  /** Throws if the caller may not make the change. */
  requireAllowed: (access: MessageAccess) => void;
  /** Makes the change. */
  work: (locked: LockedMessage) => Promise<ChatMessage>;
}

/** Changes messages in chats of the caller. */
export class MessageChanges {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /**
   * Changes a message under the lock of its chat. Whether the caller may is read first, without locks: strangers never make
   * members wait. It is read again under the lock.
   * @throws AppError of kind "notFound" if the caller is not in the chat of the message, or there is none
   */
  async change(by: Actor, { messageId, requireAllowed, work }: RequestedChange): Promise<ChatMessage> {
    const { database, chatWriter } = this.options;
    const key = { messageId, userId: by.userId };
    const access = await messageAccess(database, key);
    if (!access) throw noSuchMessage();
    requireAllowed(access);
    return chatWriter.commit(by.requester, async (tx) => {
      const chat = await tx.lock(access.chatId);
      const lockedAccess = chat && (await messageAccess(database, key, tx.transaction));
      const message = lockedAccess && (await chat.findMessage(messageId));
      if (!message) throw noSuchMessage();
      requireAllowed(lockedAccess);
      return work({ chat, message, tx });
    });
  }
}

/** @throws AppError of kind "notFound" in a dialog in which the caller cannot send any more */
export function requireOpenChat({ isClosed }: MessageAccess): void {
  if (isClosed) throw noSuchUser();
}
