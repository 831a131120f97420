import type { Database } from "../db/connect.ts";
import { memberState } from "../db/queries/chats/member-state.ts";
import { messagesById } from "../db/queries/messages/messages.ts";
import { type StoredSend, storedSend } from "../db/queries/messages/sent-messages.ts";
import type { ChatMessage, MentionedPeople, SentMessage } from "../domain/message.ts";
import { conflictingClientId } from "../domain-errors.ts";
import type { Committer } from "./commit.ts";

/** A text and whom it mentions. */
type SentText = MentionedPeople & { content: string };

/** Answers sends that are repeated with the same client id. */
export class RepeatedSends {
  constructor(private readonly options: { database: Database; committer: Pick<Committer, "noteStored"> }) {}

  /**
   * Returns the message that a send with the same client id has stored.
   * @param repeat.isSame whether the repeated send equals the stored one, as it was sent and as it is now
   * @param repeat.text the text of the repeated send, with its mentions: a sender who has left since gets it instead of today's
   * @throws AppError of kind "conflict" if the two differ
   */
  async answer(
    messageId: number,
    { text, isSame }: { text: SentText; isSame: (sent: StoredSend, stored: ChatMessage) => boolean },
  ): Promise<SentMessage> {
    const { database, committer } = this.options;
    const sent = await storedSend(database, messageId);
    const [stored] = await messagesById(database, [messageId]);
    if (stored) committer.noteStored(stored);
    if (!stored || !sent || !isSame(sent, stored)) throw conflictingClientId();
    // A sender who has left since may learn that it was stored, but nothing that has changed since.
    const isMember = (await memberState(database, { chatId: sent.chatId, userId: stored.sender.id })) !== undefined;
    return { ...stored, ...(!isMember && { ...asSent(text), version: sent.version }), duplicate: true };
  }
}

/** The fields of a message that may have changed since, as its sender knew them when sending it. */
const asSent = ({ content, mentions, mentionsAll }: SentText) => ({
  content,
  mentions,
  mentionsAll,
  groupName: null,
  replyTo: null,
  change: null,
  reactions: [],
  pinned: null,
  files: [],
  firstAuthor: null,
  editedAt: null,
  deletedAt: null,
});
