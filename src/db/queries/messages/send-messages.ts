import type { ChatMessage } from "../../../domain/message.ts";
import type { Person } from "../../../domain/person.ts";
import type { Database } from "../../connect.ts";
import { prepared } from "../../prepared.ts";
import { messagesById, personOf } from "./messages.ts";

/** A message that somebody wants to have stored in a chat. */
export interface MessageToSend {
  chatId: number;
  senderId: number;
  /** In a dialog: the other side. */
  receiverId?: number | undefined;
  content: string;
  clientMessageId?: string | undefined;
  replyTo?: number | undefined;
}

/** What became of one message. */
export type SendResult =
  | { kind: "written"; message: ChatMessage; recipientIds: readonly number[] }
  /** This sender has stored something under this client id before. */
  | { kind: "stored"; messageId: number }
  /**
   * `held`: somebody else holds the chat, or that of an earlier message of the same sender. `refused`: the chat is not
   * there, or closed to the sender. `noReply`: what it answers is not a message of the chat.
   */
  | { kind: "held" | "refused" | "noReply" };

interface Answer {
  createdAt: string;
  verdicts: [SendResult["kind"], id: number, seq: number, version: number][];
  people: [id: number, firstName: string | null, lastName: string | null][] | null;
  groups: [id: number, name: string, memberIds: number[]][] | null;
}

const statement = { name: "send_messages", text: "SELECT send_messages($1, $2, $3, $4, $5, $6) AS answer" };

/**
 * Stores messages in their order, in one round trip and one transaction; see the function `send_messages`. No two may
 * have the same sender and client id.
 * @returns the verdicts, in the order of the messages
 */
export async function sendMessages(database: Database, messages: readonly MessageToSend[]): Promise<SendResult[]> {
  const [row] = await prepared<{ answer: Answer }>(database, statement, [
    messages.map(({ chatId }) => chatId),
    messages.map(({ senderId }) => senderId),
    messages.map(({ receiverId }) => receiverId ?? null),
    messages.map(({ clientMessageId }) => clientMessageId ?? null),
    messages.map(({ replyTo }) => replyTo ?? null),
    messages.map(({ content }) => content),
  ]);
  if (!row) throw new Error("send_messages gave no answer");
  return readAnswer(row.answer, messages);
}

/**
 * The verdicts with what the written messages answer, read as it is today, as everywhere; most answer nothing. Nothing
 * else is taken from there: a message may have been edited since, which is a change of its own. To be called after the
 * commit: if it fails, the messages are stored all the same.
 */
export async function withReplies(
  database: Database,
  verdicts: readonly SendResult[],
  messages: readonly MessageToSend[],
): Promise<readonly SendResult[]> {
  const replying = verdicts.flatMap((verdict, index) =>
    verdict.kind === "written" && messages[index]?.replyTo !== undefined ? [verdict.message.id] : [],
  );
  if (replying.length === 0) return verdicts;
  const replies = new Map((await messagesById(database, replying)).map(({ id, replyTo }) => [id, replyTo]));
  return verdicts.map((verdict) => {
    if (verdict.kind !== "written") return verdict;
    const { message } = verdict;
    return { ...verdict, message: { ...message, replyTo: replies.get(message.id) ?? null } };
  });
}

function readAnswer({ createdAt, verdicts, people, groups }: Answer, messages: readonly MessageToSend[]): SendResult[] {
  const personById = new Map<number, Person>();
  for (const [id, firstName, lastName] of people ?? []) personById.set(id, personOf(id, firstName, lastName));
  const groupById = new Map((groups ?? []).map(([id, name, memberIds]) => [id, { name, memberIds }]));
  const moment = new Date(createdAt);
  return verdicts.map(([kind, id, seq, version], index): SendResult => {
    const sent = messages[index];
    if (kind === "stored") return { kind, messageId: id };
    if (kind !== "written") return { kind };
    if (!sent) throw new Error("send_messages gave more verdicts than there were messages");
    const { chatId, senderId, receiverId, content, clientMessageId = null } = sent;
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
      createdAt: moment,
      editedAt: null,
      deletedAt: null,
    };
    return { kind, message, recipientIds: group?.memberIds ?? [...new Set([senderId, receiverId ?? senderId])] };
  });
}
