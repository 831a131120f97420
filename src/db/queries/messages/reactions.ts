import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { personOf } from "./messages.ts";

/** One reaction: of one person, with one emoji, to one message. */
export interface ReactionKey {
  messageId: number;
  userId: number;
  emoji: string;
}

/** How the reactions of a message stand to one of them. */
export interface ReactionState {
  isSet: boolean;
  /** Whether anybody reacts with this emoji. */
  isUsed: boolean;
  /** The number of different emoji. */
  emojiCount: number;
  /** The number of reactions of the person. */
  ownCount: number;
}

/** Index: the primary key of message_reactions. */
export async function reactionState(
  database: Database,
  reaction: ReactionKey,
  transaction: Transaction,
): Promise<ReactionState> {
  const [state] = await select<ReactionState>(
    database,
    `SELECT COALESCE(bool_or(user_id = $userId AND emoji = $emoji), false) AS "isSet",
            COALESCE(bool_or(emoji = $emoji), false) AS "isUsed",
            count(DISTINCT emoji) AS "emojiCount", count(*) FILTER (WHERE user_id = $userId) AS "ownCount"
       FROM message_reactions
      WHERE message_id = $messageId`,
    { ...reaction },
    transaction,
  );
  if (!state) throw new Error("the reactions of a message were not counted");
  return state;
}

export async function insertReaction(database: Database, reaction: ReactionKey, transaction: Transaction) {
  await select(
    database,
    "INSERT INTO message_reactions (message_id, user_id, emoji) VALUES ($messageId, $userId, $emoji)",
    { ...reaction },
    transaction,
  );
}

/** Index: the primary key of message_reactions. */
export async function deleteReaction(database: Database, reaction: ReactionKey, transaction: Transaction) {
  await select(
    database,
    "DELETE FROM message_reactions WHERE message_id = $messageId AND user_id = $userId AND emoji = $emoji",
    { ...reaction },
    transaction,
  );
}

/** Who reacts to a message, and how. */
export interface ListedReaction {
  userId: number;
  firstName: string;
  lastName: string | null;
  emoji: string;
  createdAt: Date;
}

/** Returns the reactions to a message, the earliest first. Index: the primary key of message_reactions. */
export async function reactionsTo(
  database: Database,
  page: { messageId: number; limit: number; offset: number },
): Promise<ListedReaction[]> {
  const rows = await select<Omit<ListedReaction, "firstName"> & { firstName: string | null }>(
    database,
    `SELECT r.user_id AS "userId", u.first_name AS "firstName", u.last_name AS "lastName", r.emoji,
            r.created_at AS "createdAt"
       FROM message_reactions AS r
       JOIN users AS u ON u.id = r.user_id
      WHERE r.message_id = $messageId
      ORDER BY r.created_at, r.user_id, r.emoji
      LIMIT $limit OFFSET $offset`,
    page,
  );
  return rows.map(({ userId, firstName, lastName, emoji, createdAt }) => {
    const person = personOf(userId, firstName, lastName);
    return { userId, firstName: person.firstName, lastName, emoji, createdAt };
  });
}

/**
 * Returns messages of one chat to which a person reacts, the earliest first; undefined if there are none. Index:
 * message_reactions_of_user.
 */
export async function someReactedMessages(
  database: Database,
  page: { userId: number; limit: number },
): Promise<{ chatId: number; messageIds: number[] } | undefined> {
  const [chat] = await select<{ chatId: number; messageIds: number[] }>(
    database,
    `SELECT reacted.chat_id AS "chatId", json_agg(reacted.message_id) AS "messageIds"
       FROM (SELECT DISTINCT m.chat_id, r.message_id
               FROM (SELECT message_id FROM message_reactions
                      WHERE user_id = $userId
                      ORDER BY message_id
                      LIMIT $limit) AS r
               JOIN messages AS m ON m.id = r.message_id) AS reacted
      GROUP BY reacted.chat_id
      ORDER BY min(reacted.message_id)
      LIMIT 1`,
    page,
  );
  return chat;
}

/**
 * Deletes the reactions of a person to messages of one chat.
 * @returns the messages that had some
 */
export async function deleteReactionsOf(
  database: Database,
  { userId, messageIds }: { userId: number; messageIds: readonly number[] },
  transaction: Transaction,
): Promise<number[]> {
  const rows = await select<{ messageId: number }>(
    database,
    `DELETE FROM message_reactions
      WHERE user_id = $userId AND message_id = ANY ($messageIds::bigint[])
  RETURNING message_id AS "messageId"`,
    { userId, messageIds },
    transaction,
  );
  return [...new Set(rows.map(({ messageId }) => messageId))];
}

/** Returns a deleted account that still has reactions, if there is one. Indexes: users_deleted, message_reactions_of_user. */
export async function deletedUserWithReactions(database: Database): Promise<number | undefined> {
  const [row] = await select<{ id: number }>(
    database,
    `SELECT u.id
       FROM users AS u
      WHERE u.deleted_at IS NOT NULL AND EXISTS (SELECT FROM message_reactions AS r WHERE r.user_id = u.id)
      ORDER BY u.id
      LIMIT 1`,
    {},
  );
  return row?.id;
}
