import type { Role } from "../../../domain/chat.ts";
import type { ChatMessage } from "../../../domain/message.ts";
import type { Person } from "../../../domain/person.ts";
import type { Database } from "../../connect.ts";
import { prepared } from "../../prepared.ts";
import { unreadMentions } from "../messages/mentions.ts";
import { messageColumns, messagePeople, personOf, toChatMessage } from "../messages/messages.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** What a client knows of a chat. */
export interface KnownChat {
  chatId: number;
  version: number;
  readSeq: number;
  clearedSeq: number;
  /** Null if the client does not keep the other person's read position. */
  peerReadSeq: number | null;
}

/** Everything that a client knows. */
export interface KnownState {
  chats: readonly KnownChat[];
  /** The epoch in which the client received it, if the client says so. */
  epoch?: string | undefined;
}

/** The chats that a client syncs: those with ids in a range. */
export interface Scope {
  userId: number;
  fromChatId: number;
  toChatId: number;
}

/** How much to read. */
export interface Amount {
  /** Of a chat with more changed messages than this, the newest messages are read instead. */
  changes: number;
  /** How many of the newest messages. */
  newest: number;
  /** Whether also of a chat that the client does not know only the newest messages are read, however few it has. */
  onlyNewestOfJoined: boolean;
  /** Messages that do not fit into an answer of this size are not read. */
  bytes: number;
}

/** A chat that the client knows and the user is not a member of. The version is for the server only, never for clients. */
export interface LeftChat {
  chatId: number;
  version: number;
}

/** A chat of the user that differs from what the client knows. */
export interface ChangedChat {
  chatId: number;
  /** The next chat that differs, if there is one; it may not have been read. */
  nextChatId: number | null;
  /**
   * `positions`: only read or cleared positions. `changes`: the messages after the client's version. `newest`: the newest
   * messages of a chat that the client does not know. `tooLong`: more changed messages than are read. `reset`: the client
   * knows another history, or is ahead of this one.
   */
  difference: "positions" | "changes" | "newest" | "tooLong" | "reset";
  kind: "dialog" | "group";
  groupName: string | null;
  /** The user's own role, in a group. */
  role: Role;
  /** The number of members, in a group. */
  memberCount: number | null;
  /** The number of unread messages that mention the user, at most 99. */
  mentions: number;
  /** The other person in a dialog; the user in a dialog with oneself. */
  peer: Person | null;
  /** Of the group, or of the peer. */
  avatarId: string | null;
  /** Null also while one of the two blocks the other. */
  peerReadSeq: number | null;
  version: number;
  lastSeq: number;
  readSeq: number;
  clearedSeq: number;
  /** Null where the client does not know the chat. */
  knownVersion: number | null;
  /**
   * The changed messages in order of their versions, or the newest messages, the newest first, as far as they may fit.
   * Ignore everything after the first one that does not fit: messages may be missing there.
   */
  messages: ChatMessage[];
}

/** Less than the size of any chat, and of any message without its text, in an answer; in bytes. */
const minSize = 200;

/**
 * SQL for whether a user sees a message of a chat. Changes of messages that the user has cleared are seen too: a reply to
 * one of them shows its text.
 */
const isVisible = (
  message: string,
  { clearedSeq, knownVersion }: { clearedSeq: string; knownVersion: string },
): string => `(${message}.seq > ${clearedSeq} OR ${message}.change IS NOT NULL AND ${knownVersion} IS NOT NULL)`;

/*
 * One statement, so everything is read at one moment. Each connection plans it only once, so the plan must stay good when
 * the tables grow:
 * - `wanted`: the chats that differ are found from the user's rows of chat_members (its primary key) and put in order
 *   before any message is read. `tooLong` is only checked where the counters allow it, and only for chats that are read.
 * - `sized`: chat by chat, ids and sizes of messages are read in the order of an index, messages_version_unique or
 *   messages_seq_unique, until there are more than can fit. A message's version is never below its seq, so the
 *   versions up to `clearedSeq` are skipped.
 * - Each message that may fit is then read by its id.
 */
const statement = {
  name: "sync",
  text: `
       WITH current AS MATERIALIZED (
              SELECT server_epoch() AS epoch, clock_timestamp() AS time
            ), known AS (
              SELECT * FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
                         AS k (chat_id, version, read_seq, cleared_seq, peer_read_seq)
               WHERE chat_id BETWEEN $2 AND $3
            ), wanted AS (
              SELECT either.chat_id, member.user_id IS NOT NULL AND c.version > 0 AS is_member,
                     CASE WHEN member.user_id IS NULL OR c.version = 0 THEN 'left'
                          WHEN known.version IS NULL AND $13 THEN 'newest'
                          WHEN known.version IS NOT NULL AND $14 <> current.epoch THEN 'reset'
                          WHEN known.version = c.version THEN 'positions'
                          WHEN known.version > c.version THEN 'reset'
                          WHEN c.version - GREATEST(known.version, member.cleared_seq) > $9
                               AND EXISTS (SELECT FROM messages AS m
                                            WHERE m.chat_id = c.id AND ${isVisible("m", { clearedSeq: "member.cleared_seq", knownVersion: "known.version" })}
                                              AND m.version > GREATEST(known.version, member.cleared_seq)
                                            ORDER BY m.version
                                           OFFSET $9) THEN 'tooLong'
                          ELSE 'changes' END AS difference,
                     c.kind, c.name, c.avatar_id, member.role, c.pair_low, c.pair_high, COALESCE(c.version, 0) AS version, c.last_seq,
                     member.read_seq, member.cleared_seq, known.version AS known_version,
                     GREATEST(known.version, member.cleared_seq) AS after_version,
                     c.pair_low + c.pair_high - $1 AS peer_id, peer.read_seq AS peer_read_seq
                FROM (SELECT * FROM chat_members WHERE user_id = $1 AND chat_id BETWEEN $2 AND $3) AS member
           FULL JOIN known USING (chat_id) AS either
          CROSS JOIN current
           LEFT JOIN chats AS c ON c.id = either.chat_id
           LEFT JOIN chat_members AS peer
                  ON peer.chat_id = c.id AND peer.user_id = NULLIF(c.pair_low + c.pair_high - $1, $1)
                     AND NOT ${eitherBlocks("c.pair_low", "c.pair_high")}
               WHERE member.user_id IS NULL
                  -- An empty dialog counts as no chat.
                  OR c.version = 0 AND known.version IS NOT NULL
                  OR c.version > 0
                     AND (known.version IS NULL OR known.version <> c.version OR known.read_seq <> member.read_seq
                          OR known.cleared_seq <> member.cleared_seq OR known.peer_read_seq <> peer.read_seq
                          -- The other person's position may no longer be known: one of the two blocks the other.
                          OR known.peer_read_seq > 0 AND peer.read_seq IS NULL AND c.pair_low <> c.pair_high
                          OR $14 <> current.epoch)
               ORDER BY is_member, either.chat_id
               LIMIT $12
            ), sized AS (
              SELECT wanted.*, page.*
                FROM wanted
           LEFT JOIN LATERAL (
                       (SELECT id AS message_id, version AS place, octet_length(content) + ${minSize} AS size
                          FROM messages
                         WHERE wanted.difference = 'changes' AND chat_id = wanted.chat_id
                           AND version > wanted.after_version AND ${isVisible("messages", { clearedSeq: "wanted.cleared_seq", knownVersion: "wanted.known_version" })}
                         ORDER BY version
                         LIMIT $9)
                        UNION ALL
                       (SELECT id, -seq, octet_length(content) + ${minSize}
                          FROM messages
                         WHERE wanted.difference IN ('newest', 'tooLong', 'reset') AND chat_id = wanted.chat_id
                           AND seq > GREATEST(wanted.last_seq - $10, wanted.cleared_seq)
                         ORDER BY seq DESC
                         LIMIT $10)) AS page ON true
               ORDER BY wanted.is_member, wanted.chat_id
               FETCH FIRST $12 ROWS WITH TIES
            ), placed AS (
              SELECT sized.*,
                     sum(size) OVER (ORDER BY is_member, chat_id, place
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS size_before,
                     lag(chat_id) OVER (ORDER BY is_member, chat_id, place) IS DISTINCT FROM chat_id AS is_first,
                     first_value(chat_id) OVER (ORDER BY is_member, chat_id
                                               GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_chat_id
                FROM sized
            )
     SELECT message.*, current.epoch, current.time, c.chat_id AS "chatId", c.next_chat_id AS "nextChatId", c.difference, c.kind,
            c.name AS "groupName", c.role, COALESCE(c.avatar_id, peer_user.avatar_id) AS "avatarId",
            CASE WHEN c.is_first AND c.kind = 'group'
                 THEN (SELECT count(*) FROM chat_members AS member WHERE member.chat_id = c.chat_id) END AS "memberCount",
            CASE WHEN c.is_first AND c.last_seq > c.read_seq
                 THEN ${unreadMentions({ userId: "$1", chatId: "c.chat_id", readSeq: "c.read_seq" })} END AS "unreadMentions",
            c.peer_id AS "peerId", peer_user.first_name AS "peerFirstName", peer_user.last_name AS "peerLastName", c.peer_read_seq AS "peerReadSeq", c.version AS "chatVersion",
            c.last_seq AS "lastSeq", c.read_seq AS "readSeq", c.cleared_seq AS "clearedSeq",
            c.known_version AS "knownVersion"
       FROM current
  LEFT JOIN placed AS c ON COALESCE(c.size_before, 0) < $11
  LEFT JOIN users AS peer_user ON peer_user.id = c.peer_id
  LEFT JOIN LATERAL (SELECT ${messageColumns("$1")}
                       FROM messages AS m ${messagePeople}
                      WHERE m.id = c.message_id
                      LIMIT 1) AS message ON true
      ORDER BY c.is_member, c.chat_id, c.place`,
};

/** The moment of the statement, and a chat with one of its messages, if there are such. */
type Row = Moment & (ChatRow | { chatId: null }) & (Parameters<typeof toChatMessage>[0] | { id: null });

/** What holds for the whole answer. */
interface Moment {
  epoch: string;
  time: Date;
}

interface ChatRow extends Omit<ChangedChat, "difference" | "peer" | "version" | "mentions" | "messages"> {
  unreadMentions: number | null;
  peerId: number | null;
  peerFirstName: string | null;
  peerLastName: string | null;
  difference: "left" | ChangedChat["difference"];
  chatVersion: number;
}

/** Returns the differences between client and server: the chats that the user left, and those that changed, by rising id. */
export async function differences(
  database: Database,
  { userId, fromChatId, toChatId }: Scope,
  { chats: known, epoch: knownEpoch }: KnownState,
  { changes, newest, onlyNewestOfJoined, bytes }: Amount,
): Promise<Moment & { left: LeftChat[]; changed: ChangedChat[] }> {
  const rows = await prepared<Row>(database, statement, [
    userId,
    fromChatId,
    toChatId,
    known.map(({ chatId }) => chatId),
    known.map(({ version }) => version),
    known.map(({ readSeq }) => readSeq),
    known.map(({ clearedSeq }) => clearedSeq),
    known.map(({ peerReadSeq }) => peerReadSeq),
    changes,
    newest,
    bytes,
    // The chats that were left, more messages than can fit, and the chat after newest messages that did not fit.
    known.length + Math.ceil(bytes / minSize) + newest,
    onlyNewestOfJoined,
    knownEpoch ?? null,
  ]);
  const [moment] = rows;
  if (!moment) throw new Error("the statement of sync returned no row");
  const left: LeftChat[] = [];
  const changed: ChangedChat[] = [];
  for (const row of rows) {
    if (row.chatId === null) continue;
    const { chatId, chatVersion: version, difference } = row;
    if (difference === "left") left.push({ chatId, version });
    else if (changed.at(-1)?.chatId !== chatId) changed.push(toChangedChat(row, difference));
    if (row.id !== null) changed.at(-1)?.messages.push(toChatMessage(row));
  }
  return { epoch: moment.epoch, time: moment.time, left, changed };
}

const toChangedChat = (row: ChatRow, difference: ChangedChat["difference"]): ChangedChat => ({
  chatId: row.chatId,
  nextChatId: row.nextChatId,
  difference,
  kind: row.kind,
  groupName: row.groupName,
  role: row.role,
  memberCount: row.memberCount,
  mentions: row.unreadMentions ?? 0,
  peer: row.peerId === null ? null : personOf(row.peerId, row.peerFirstName, row.peerLastName),
  avatarId: row.avatarId,
  peerReadSeq: row.peerReadSeq,
  version: row.chatVersion,
  lastSeq: row.lastSeq,
  readSeq: row.readSeq,
  clearedSeq: row.clearedSeq,
  knownVersion: row.knownVersion,
  messages: [],
});
