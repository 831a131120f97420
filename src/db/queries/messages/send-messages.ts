import { type ChatMessage, type Mention, type MentionedPeople, maxMembersForAll } from "../../../domain/message.ts";
import type { Person } from "../../../domain/person.ts";
import type { Database } from "../../connect.ts";
import { prepared } from "../../prepared.ts";
import { messagesById, personOf } from "./messages.ts";

/** A message to store in a chat. */
export interface MessageToSend extends MentionedPeople {
  chatId: number;
  senderId: number;
  /** The recipient, in a dialog. */
  receiverId?: number | undefined;
  content: string;
  clientMessageId?: string | undefined;
  replyTo?: number | undefined;
  /** Files of the sender that are in no message yet. */
  fileIds: readonly string[];
}

/** The result of one message. */
export type SendResult =
  | { kind: "written"; message: ChatMessage; recipientIds: readonly number[] }
  /** The sender has stored a message under this client id before. */
  | { kind: "stored"; messageId: number }
  /**
   * `held`: another transaction holds the chat, or the chat of an earlier message of the same sender. `refused`: the chat
   * does not exist, or the sender may not write to it. `noReply`: the chat has no such message to reply to. `noFiles`: a
   * file is not ready, not the sender's, or in a message. `notForAll`: the sender may not mention everybody in this group.
   */
  | { kind: "held" | "refused" | "noReply" | "noFiles" | "notForAll" };

/** The JSON that the function `send_messages` returns. */
interface Answer {
  createdAt: string;
  verdicts: [SendResult["kind"], id: number, seq: number, version: number][];
  people: [id: number, firstName: string | null, lastName: string | null][] | null;
  groups: [id: number, name: string, memberIds: number[]][] | null;
  /** Absent if no message was sent with mentions. */
  mentions?: [messageId: number, mentions: Mention[]][] | null;
}

interface AnswerRow {
  answer: Answer;
}

const statementWithFiles = {
  name: "send_messages_with_files",
  text: "SELECT send_messages_with_files($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS answer",
};
const statement = { name: "send_messages", text: "SELECT send_messages($1, $2, $3, $4, $5, $6) AS answer" };
const statementWithMentions = {
  name: "send_messages_with_mentions",
  text: "SELECT send_messages($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer",
};

/** Where no message has mentions, `send_messages_with_files` calls the function without them. */
const noMentions = [null, null, null];

/**
 * Stores messages in their order, in one round trip and one transaction; see the functions `send_messages`. Without
 * mentions, the shorter one is called. No two messages may have the same sender and client id.
 * @returns the result of each message, in the same order
 */
export async function sendMessages(database: Database, messages: readonly MessageToSend[]): Promise<SendResult[]> {
  const values = [
    messages.map(({ chatId }) => chatId),
    messages.map(({ senderId }) => senderId),
    messages.map(({ receiverId }) => receiverId ?? null),
    messages.map(({ clientMessageId }) => clientMessageId ?? null),
    messages.map(({ replyTo }) => replyTo ?? null),
    messages.map(({ content }) => content),
  ];
  const hasFiles = messages.some(({ fileIds }) => fileIds.length > 0);
  const hasMentions = messages.some(({ mentions, mentionsAll }) => mentions.length > 0 || mentionsAll);
  const files = JSON.stringify(messages.map(({ fileIds }) => fileIds));
  const mentions = [
    messages.map(({ mentions }) => JSON.stringify(mentions)),
    messages.map(({ mentionsAll }) => mentionsAll),
    maxMembersForAll,
  ];
  const [row] = await (hasFiles
    ? prepared<AnswerRow>(database, statementWithFiles, [...values, files, ...(hasMentions ? mentions : noMentions)])
    : hasMentions
      ? prepared<AnswerRow>(database, statementWithMentions, [...values, ...mentions])
      : prepared<AnswerRow>(database, statement, values));
  if (!row) throw new Error("send_messages returned no row");
  return toResults(row.answer, messages);
}

/**
 * Adds to the written messages their files and the messages that they reply to, as they are now; most have none. Only these are
 * read again: a written message may have been edited since, which is a change of its own. Call it after the commit; if it
 * fails, the messages are stored all the same.
 */
export async function withFilesAndReplies(
  database: Database,
  results: readonly SendResult[],
  messages: readonly MessageToSend[],
): Promise<readonly SendResult[]> {
  const refers = (sent: MessageToSend | undefined) =>
    sent !== undefined && (sent.replyTo !== undefined || sent.fileIds.length > 0);
  const ids = results.flatMap((result, index) =>
    result.kind === "written" && refers(messages[index]) ? [result.message.id] : [],
  );
  if (ids.length === 0) return results;
  const read = new Map((await messagesById(database, ids)).map((message) => [message.id, message]));
  return results.map((result) => {
    if (result.kind !== "written") return result;
    const { message } = result;
    const { replyTo = null, files = [] } = read.get(message.id) ?? {};
    return { ...result, message: { ...message, replyTo, files } };
  });
}

function toResults(
  { createdAt, verdicts, people, groups, mentions }: Answer,
  messages: readonly MessageToSend[],
): SendResult[] {
  const personById = new Map<number, Person>();
  for (const [id, firstName, lastName] of people ?? []) personById.set(id, personOf(id, firstName, lastName));
  const groupById = new Map((groups ?? []).map(([id, name, memberIds]) => [id, { name, memberIds }]));
  const mentionsById = new Map(mentions);
  const createdAtDate = new Date(createdAt);
  return verdicts.map(([kind, id, seq, version], index): SendResult => {
    const sent = messages[index];
    if (kind === "stored") return { kind, messageId: id };
    if (kind !== "written") return { kind };
    if (!sent) throw new Error("send_messages returned more results than there were messages");
    const { chatId, senderId, receiverId, content, clientMessageId = null, mentionsAll } = sent;
    const group = groupById.get(chatId);
    const message: ChatMessage = {
      id,
      chatId,
      seq,
      version,
      sender: personById.get(senderId) ?? personOf(senderId, null, null),
      receiver: receiverId === undefined ? null : (personById.get(receiverId) ?? personOf(receiverId, null, null)),
      groupName: group?.name ?? null,
      content,
      event: null,
      clientMessageId,
      replyTo: null,
      change: null,
      reactions: [],
      mentions: mentionsById.get(id) ?? [],
      mentionsAll,
      pinned: null,
      firstAuthor: null,
      files: [],
      createdAt: createdAtDate,
      editedAt: null,
      deletedAt: null,
    };
    return { kind, message, recipientIds: group?.memberIds ?? [...new Set([senderId, receiverId ?? senderId])] };
  });
}
