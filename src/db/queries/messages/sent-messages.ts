import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Mention, MentionedPeople } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Bytes of the salt, and of the digest behind it. */
const saltBytes = 16;
/**
 * Enough to distinguish another text from a repeat: one of four thousand million is taken for it. Too few to find an
 * unpredictable deleted text by trying many; a text of which only few are likely can be found.
 */
const digestBytes = 4;

/** The digested text: the id of the message that it replies to, if any, a space, and its content. */
const digestedText = ({ replyTo, content }: Pick<SentContent, "replyTo" | "content">): string =>
  `${replyTo ?? ""} ${content}`;

/**
 * SQL assignments that record what a message was when it was sent, before its content changes for the first time. Only
 * messages with a client id can be sent again.
 */
export const keepWhatWasSent = `
            sent_version = COALESCE(messages.sent_version, messages.version),
            sent_digest = COALESCE(messages.sent_digest,
              CASE WHEN messages.client_message_id IS NOT NULL AND messages.change IS NULL THEN (
                SELECT salt || substr(sha256(salt || convert_to(
                         COALESCE(messages.reply_to::text, '') || ' ' || messages.content, 'UTF8')), 1, ${digestBytes})
                  FROM (SELECT uuid_send(gen_random_uuid()) AS salt) AS random) END)`;

/** What a sender sent. */
export interface SentContent extends MentionedPeople {
  content: string;
  replyTo?: number | undefined;
  fileIds: readonly string[];
}

/** A stored message as it was sent. */
export interface StoredSend {
  chatId: number;
  /** Whether it is a system message. */
  isEvent: boolean;
  version: number;
  replyTo: number | null;
  /** The message that it forwards; null if it forwards none. */
  forwardedFrom: number | null;
  /** Null once it was deleted. */
  fileIds: string[] | null;
  /** Null once it was changed. */
  content: string | null;
  mentions: Mention[] | null;
  mentionsAll: true | null;
  /** The salt and the digest; null if it was never changed, or was changed before digests were kept. */
  digest: Buffer | null;
}

/** Returns a message as it was sent. Index: messages_pkey. */
export async function storedSend(database: Database, messageId: number): Promise<StoredSend | undefined> {
  const [row] = await select<StoredSend>(
    database,
    `SELECT chat_id AS "chatId", event IS NOT NULL AS "isEvent", COALESCE(sent_version, version) AS version,
            reply_to AS "replyTo", forwarded_from AS "forwardedFrom",
            CASE WHEN deleted_at IS NULL THEN COALESCE(
              (SELECT json_agg(file_id ORDER BY position) FROM message_files WHERE message_id = $messageId), '[]') END AS "fileIds",
            CASE WHEN sent_version IS NULL AND change IS NULL THEN content END AS content,
            mentions, mentions_all AS "mentionsAll",
            sent_digest AS digest
       FROM messages
      WHERE id = $messageId`,
    { messageId },
  );
  return row;
}

/**
 * Whether a repeated send equals what was stored. Where that cannot be known any more, it counts as equal: of a message that
 * was changed, only text and reply are compared.
 */
export function isSameSend(stored: StoredSend, sent: SentContent): boolean {
  const { isEvent, replyTo, forwardedFrom, fileIds, content, digest } = stored;
  if (isEvent || forwardedFrom !== null) return false;
  if (fileIds !== null && !isDeepStrictEqual(fileIds, sent.fileIds)) return false;
  if (digest) {
    const salt = digest.subarray(0, saltBytes);
    const expected = createHash("sha256").update(salt).update(digestedText(sent)).digest().subarray(0, digestBytes);
    return expected.equals(digest.subarray(saltBytes));
  }
  if (content === null) return true;
  return content === sent.content && (replyTo ?? undefined) === sent.replyTo && hasSameMentions(stored, sent);
}

/** Whether everybody mentioned in the stored message is mentioned in what was sent. Others may have been dropped. */
function hasSameMentions({ mentions, mentionsAll }: StoredSend, sent: SentContent): boolean {
  const isSent = (stored: Mention) =>
    sent.mentions.some((mention) => mention.userId === stored.userId && isSamePart(mention, stored));
  return (mentionsAll ?? false) === sent.mentionsAll && (mentions ?? []).every(isSent);
}

const isSamePart = (a: Mention, b: Mention): boolean => a.offset === b.offset && a.length === b.length;
