import type { Database } from "../../db/connect.ts";
import { messagesById } from "../../db/queries/messages/messages.ts";
import type { Actor } from "../../domain/actor.ts";
import type { ChatMessage, SentMessage } from "../../domain/message.ts";
import { noSuchMessage, noSuchUser } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { Changes, ChatWriter, LockedChat } from "../../writes/chat-log.ts";
import type { SendQueue } from "../../writes/message-writer.ts";
import { blocks } from "../people/blocks.ts";

interface Words {
  content: string;
  /** Sending the same id again gives what was stored, and stores nothing. */
  clientMessageId?: string | undefined;
  /** The message of the same chat that this one answers. */
  replyTo?: number | undefined;
}

/** What people say to each other. */
export class Messages {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter; writer: SendQueue }) {}

  sendToGroup({ userId, requester }: Actor, wish: Words & { groupId: number }): Promise<SentMessage> {
    const { groupId, content, clientMessageId, replyTo } = wish;
    return this.options.writer.send({
      to: { groupId },
      senderId: userId,
      content,
      clientMessageId,
      replyTo,
      requester,
    });
  }

  /** The first message of two people opens their dialog. */
  sendPrivately({ userId, requester }: Actor, wish: Words & { receiverId: number }): Promise<SentMessage> {
    const { receiverId, content, clientMessageId, replyTo } = wish;
    return this.options.writer.send({
      to: { receiverId },
      senderId: userId,
      content,
      clientMessageId,
      replyTo,
      requester,
    });
  }

  /** Replaces the text of one's own message. */
  edit(by: Actor, { messageId, content }: { messageId: number; content: string }): Promise<ChatMessage> {
    return this.revise(by, messageId, async ({ chat, message, changes }) => {
      if (message.sender.id !== by.userId) throw new AppError("forbidden", "Only who wrote a message may edit it");
      if (message.deletedAt) throw new AppError("conflict", "This message is deleted");
      const receiverId = message.receiver?.id;
      if (receiverId !== undefined && (await blocks(receiverId, by.userId, changes.transaction))) throw noSuchUser();
      return chat.revise(messageId, { content });
    });
  }

  /** Takes a message back: one's own, or in a group as its admin any. Its place stays, its text is gone for good. */
  delete(by: Actor, { messageId }: { messageId: number }): Promise<ChatMessage> {
    return this.revise(by, messageId, async ({ chat, message }) => {
      const moderates = chat.kind === "group" && chat.members.get(by.userId) !== "member";
      if (message.sender.id !== by.userId && !moderates) {
        throw new AppError("forbidden", "Only who wrote a message, or an admin of its group, may delete it");
      }
      return message.deletedAt ? message : chat.revise(messageId, "deletion");
    });
  }

  /** Runs a change of a message that exists in a chat of the asker, under that chat's lock. */
  private async revise(
    by: Actor,
    messageId: number,
    change: (found: { chat: LockedChat; message: ChatMessage; changes: Changes }) => Promise<ChatMessage>,
  ): Promise<ChatMessage> {
    const [known] = await messagesById(this.options.database, [messageId]);
    if (!known) throw noSuchMessage();
    return this.options.chatWriter.change(by.requester, async (changes) => {
      const chat = await changes.lock(known.chatId);
      const message = chat?.members.has(by.userId) ? await chat.message(messageId) : undefined;
      if (!chat || !message) throw noSuchMessage();
      if (message.event) throw new AppError("forbidden", "A notification can be neither edited nor deleted");
      return change({ chat, message, changes });
    });
  }
}
