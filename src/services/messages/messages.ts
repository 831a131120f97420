import { isDeepStrictEqual } from "node:util";
import { blocks } from "../../db/queries/people/blocked-people.ts";
import type { Actor } from "../../domain/actor.ts";
import { type ChatMessage, type MentionedPeople, maxMembersForAll, type SentMessage } from "../../domain/message.ts";
import { mayNotMentionAll, noSuchUser } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { LockedChat } from "../../writes/locked-chat.ts";
import type { MessageSender } from "../../writes/message-sender.ts";
import type { SendRequest } from "../../writes/send-batch.ts";
import type { MessageAccess, MessageChanges } from "./message-changes.ts";
import { type GivenMentions, mentionsIn, onlyInGroups } from "./text-mentions.ts";

interface MessageInput extends GivenMentions {
  content: string;
  /** A repeated send with the same id returns the stored message, and stores nothing. */
  clientMessageId?: string | undefined;
  /** The message of the same chat that this one replies to. */
  replyTo?: number | undefined;
  /** Uploaded files of the sender that are in no message yet. */
  fileIds?: readonly string[] | undefined;
}

/** Which message to edit or delete. */
interface Revision {
  messageId: number;
  /** The version that the caller has seen: if the message has another one, nothing is changed. */
  ifVersion?: number | undefined;
}

/** Sends, edits and deletes messages. */
export class Messages {
  constructor(
    private readonly options: {
      messageChanges: MessageChanges;
      sender: MessageSender;
      /** The most files of one message. */
      maxFiles: number;
    },
  ) {}

  async sendToGroup(by: Actor, { groupId, ...message }: MessageInput & { groupId: number }): Promise<SentMessage> {
    return this.send(by, { groupId }, message);
  }

  /** Sends a message to a person. The first one creates the dialog of the two. */
  async sendPrivately(
    by: Actor,
    { receiverId, ...message }: MessageInput & { receiverId: number },
  ): Promise<SentMessage> {
    return this.send(by, { receiverId }, message);
  }

  private send({ userId, requester }: Actor, to: SendRequest["to"], input: MessageInput): Promise<SentMessage> {
    const { maxFiles, sender } = this.options;
    const { content, clientMessageId, replyTo, fileIds = [], mentions, mentionsAll = false } = input;
    if (fileIds.length > maxFiles) throw new AppError("limit", `A message can have at most ${maxFiles} files`);
    if (mentionsAll && "receiverId" in to) throw onlyInGroups();
    return sender.send({
      to,
      senderId: userId,
      content,
      clientMessageId,
      replyTo,
      fileIds,
      mentions: mentionsIn(content, mentions),
      mentionsAll,
      requester,
    });
  }

  /** Replaces the text of a message of the caller, and whom it mentions. If it is so already, nothing is stored. */
  async edit(by: Actor, input: Revision & GivenMentions & { content: string }): Promise<ChatMessage> {
    const { messageId, content, ifVersion, mentionsAll = false } = input;
    const mentions = mentionsIn(content, input.mentions);
    return this.options.messageChanges.change(by, {
      messageId,
      requireAllowed: (access) => {
        requireEditable(access);
        if (mentionsAll && !access.isGroup) throw onlyInGroups();
      },
      work: async ({ chat, message, tx }) => {
        if (message.deletedAt) throw new AppError("conflict", "This message is deleted");
        const receiverId = message.receiver?.id;
        if (receiverId !== undefined && (await blocks(receiverId, by.userId, tx.transaction))) throw noSuchUser();
        // A repeated request changes nothing.
        if (message.content === content && hasMentions(message, { mentions, mentionsAll }, chat)) return message;
        requireVersion(message, ifVersion);
        if (mentionsAll) requireMentionsAllowed(chat, by.userId);
        return chat.editMessage({ messageId, byUserId: by.userId, content, mentions, mentionsAll });
      },
    });
  }

  /**
   * Deletes a message: of the caller, or in a group, for its admins and owner, of any member. The message keeps its
   * place, but its text is removed for good, and so are its reactions and its pin.
   */
  delete(by: Actor, { messageId, ifVersion }: Revision): Promise<ChatMessage> {
    return this.options.messageChanges.change(by, {
      messageId,
      requireAllowed: requireDeletable,
      work: async ({ chat, message }) => {
        if (message.deletedAt) return message;
        requireVersion(message, ifVersion);
        return chat.deleteMessage(messageId, by.userId);
      },
    });
  }
}

function requireUserMessage({ isEvent }: MessageAccess): void {
  if (isEvent) throw new AppError("forbidden", "A system message can be neither edited nor deleted");
}

function requireEditable(access: MessageAccess): void {
  requireUserMessage(access);
  if (!access.isSender) throw new AppError("forbidden", "Only the sender of a message may edit it");
  // It would put words into the mouth of its first author.
  if (access.isForwarded) throw new AppError("forbidden", "A forwarded message cannot be edited");
}

/** Whether a message mentions already who would be mentioned: the people among those given who are members, or were. */
function hasMentions(
  message: ChatMessage,
  { mentions, mentionsAll }: MentionedPeople,
  { members }: LockedChat,
): boolean {
  const mentioned = new Set(message.mentions.map(({ userId }) => userId));
  const stored = mentions.filter(({ userId }) => members.has(userId) || mentioned.has(userId));
  return message.mentionsAll === mentionsAll && isDeepStrictEqual(message.mentions, stored);
}

/** @throws AppError of kind "forbidden" if a member may not mention everybody in this group */
function requireMentionsAllowed({ members }: LockedChat, userId: number): void {
  if (members.size > maxMembersForAll && members.get(userId) === "member") throw mayNotMentionAll();
}

function requireDeletable(access: MessageAccess): void {
  requireUserMessage(access);
  if (access.isSender || access.isModerator) return;
  throw new AppError("forbidden", "Only the sender of a message, or an admin of its group, may delete it");
}

/** @throws AppError of kind "conflict" if the caller has not seen the current version of the message */
function requireVersion({ version }: ChatMessage, ifVersion: number | undefined): void {
  if (ifVersion === undefined || ifVersion === version) return;
  throw new AppError("conflict", `This message has changed: its version is ${version}, not ${ifVersion}`);
}
