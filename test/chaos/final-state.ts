import pg from "pg";
import type { Mention } from "../../src/domain/message.ts";

/** The content of the database after a run. */
export interface FinalState {
  chats: Map<number, StoredChat>;
  rows: StoredMessage[];
  rowsByChat: Map<number, StoredMessage[]>;
  rowById: Map<number, StoredMessage>;
  /** Read and cleared positions, by `memberKey`. */
  members: Map<string, { readSeq: number; clearedSeq: number }>;
  /** The keys of personal states, by `stateKeyOf`. */
  states: Map<string, StoredState>;
  /** The version of the personal state of each user. */
  stateVersions: Map<number, number>;
  /** The uploaded files, by their ids. */
  files: Map<string, StoredFile>;
  /** The avatar of each user. */
  avatars: Map<number, string | null>;
  /** The texts in which search finds messages, by message id. */
  texts: Map<number, string>;
}

export interface StoredChat {
  kind: "dialog" | "group";
  lastSeq: number;
  version: number;
  /** The version to which the chat is indexed. */
  indexedVersion?: number;
  /** The group was deleted. Of its messages, only those with a client id are kept, without their content. */
  isDeleted: boolean;
  /** The avatar of a group. */
  avatarId?: string | null;
  /** The users of a dialog. */
  pairLow: number | null;
  pairHigh: number | null;
}

export interface StoredMessage {
  id: number;
  chatId: number;
  seq: number;
  version: number;
  senderId: number;
  clientMessageId: string | null;
  replyTo: number | null;
  content: string;
  event: { kind: string; byUserId: number; userId?: number; groupName?: string; avatarId?: string } | null;
  editedAt: Date | null;
  deletedAt: Date | null;
  /** Who reacts with each emoji, in the order in which the server lists them. */
  reactions?: { emoji: string; userIds: number[] }[] | null;
  /** Who pinned it, while it is pinned. */
  pinnedBy?: number | null;
  /** The message that it forwards, and who first wrote it. */
  forwardedFrom?: number | null;
  firstAuthorId?: number | null;
  /** Whom it mentions, without those who were not members. */
  mentions?: readonly Mention[] | null;
  mentionsAll?: boolean | null;
  /** The ids of its files, in their order. */
  files?: readonly string[] | null;
  /** The kind of its last change. */
  lastChange?: string | null;
}

export interface StoredState {
  userId: number;
  key: string;
  version: number;
  /** Null if the key was removed. */
  value: unknown;
}

export interface StoredFile {
  id: string;
  ownerId: number;
  /** Of the content that was uploaded, in hexadecimal; null until then. */
  sha256: string | null;
  /** Whether it is or was in a message. */
  isClaimed: boolean;
}

interface StoredUser {
  id: number;
  stateVersion: number;
  avatarId: string | null;
}

/** Whom a message names as its first author: nobody once it is deleted. */
export const shownAuthorOf = ({ deletedAt, firstAuthorId }: StoredMessage): number | undefined =>
  deletedAt === null ? (firstAuthorId ?? undefined) : undefined;

export const stateKeyOf = ({ userId, key }: Pick<StoredState, "userId" | "key">): string => `${userId} ${key}`;

export const memberKey = (userId: number, chatId: number): string => `${userId} ${chatId}`;

/** Reads the content in several statements, without a common snapshot. */
export async function readFinalState(url: string): Promise<FinalState> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser } });
  await client.connect();
  try {
    const chats = await client.query<StoredChat & { id: number }>(
      `SELECT id, kind, last_seq AS "lastSeq", chats.version, COALESCE(chat_texts.version, 0) AS "indexedVersion", deleted_at IS NOT NULL AS "isDeleted", avatar_id AS "avatarId",
              pair_low AS "pairLow", pair_high AS "pairHigh"
         FROM chats LEFT JOIN chat_texts ON chat_texts.chat_id = chats.id`,
    );
    const messages = await client.query<StoredMessage>(
      `SELECT id, chat_id AS "chatId", seq, version, sender_id AS "senderId", client_message_id AS "clientMessageId",
              reply_to AS "replyTo", forwarded_from AS "forwardedFrom", first_author_id AS "firstAuthorId", content, event, edited_at AS "editedAt", deleted_at AS "deletedAt",
              (SELECT json_agg(file_id ORDER BY position) FROM message_files WHERE message_id = messages.id) AS files,
              mentions, mentions_all AS "mentionsAll", change ->> 'kind' AS "lastChange",
              (SELECT json_agg(json_build_object('emoji', emoji, 'userIds', user_ids) ORDER BY since, emoji)
                 FROM (SELECT emoji, min(created_at) AS since,
                              json_agg(user_id ORDER BY created_at, user_id) AS user_ids
                         FROM message_reactions WHERE message_id = messages.id
                        GROUP BY emoji) AS by_emoji) AS reactions,
              (SELECT by_user_id FROM chat_pins WHERE message_id = messages.id) AS "pinnedBy"
         FROM messages ORDER BY chat_id, seq`,
    );
    const members = await client.query<{ userId: number; chatId: number; readSeq: number; clearedSeq: number }>(
      `SELECT user_id AS "userId", chat_id AS "chatId", read_seq AS "readSeq", cleared_seq AS "clearedSeq"
         FROM chat_members`,
    );
    const texts = await client.query<{ id: number; text: string }>("SELECT message_id AS id, text FROM message_texts");
    const states = await client.query<StoredState>(
      'SELECT user_id AS "userId", key, version, value FROM user_state ORDER BY user_id, version',
    );
    const users = await client.query<StoredUser>(
      'SELECT id, state_version AS "stateVersion", avatar_id AS "avatarId" FROM users',
    );
    const files = await client.query<StoredFile>(
      `SELECT id, owner_id AS "ownerId", encode(sha256, 'hex') AS sha256, is_claimed AS "isClaimed"
         FROM files WHERE removed_at IS NULL`,
    );
    return finalStateOf({
      chats: chats.rows,
      rows: messages.rows,
      members: members.rows,
      texts: texts.rows,
      states: states.rows,
      users: users.rows,
      files: files.rows,
    });
  } finally {
    await client.end();
  }
}

/** Indexes the content. @param stored rows by ascending chat and `seq` */
export function finalStateOf(stored: {
  chats: readonly (StoredChat & { id: number })[];
  rows: StoredMessage[];
  members: readonly { userId: number; chatId: number; readSeq: number; clearedSeq: number }[];
  texts?: readonly { id: number; text: string }[];
  states?: readonly StoredState[];
  users?: readonly StoredUser[];
  files?: readonly StoredFile[];
}): FinalState {
  const { chats, rows, members, texts = [], states = [], users = [], files = [] } = stored;
  return {
    chats: new Map(chats.map((chat) => [chat.id, chat])),
    rows,
    rowsByChat: byChat(rows),
    rowById: new Map(rows.map((row) => [row.id, row])),
    states: new Map(states.map((state) => [stateKeyOf(state), state])),
    stateVersions: new Map(users.map(({ id, stateVersion }) => [id, stateVersion])),
    files: new Map(files.map((file) => [file.id, file])),
    avatars: new Map(users.map(({ id, avatarId }) => [id, avatarId])),
    texts: new Map(texts.map(({ id, text }) => [id, text])),
    members: new Map(members.map((member) => [memberKey(member.userId, member.chatId), member])),
  };
}

/** Parses bigint columns as numbers. All values are below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: unknown) =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as "text");

function byChat(rows: readonly StoredMessage[]): Map<number, StoredMessage[]> {
  const chats = new Map<number, StoredMessage[]>();
  for (const row of rows) {
    const own = chats.get(row.chatId);
    if (own) own.push(row);
    else chats.set(row.chatId, [row]);
  }
  return chats;
}
