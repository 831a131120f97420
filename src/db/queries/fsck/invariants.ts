/** What must hold for each chat of `$ids`, by name: statements that select what violates it. */
export const chatInvariants: Readonly<Record<string, string>> = {
  // Messages of an ended group are purged in steps.
  "seq-dense": `SELECT c.id AS "chatId", c.last_seq AS "lastSeq", count(m.id)::int AS messages, max(m.seq) AS "maxSeq"
       FROM chats AS c LEFT JOIN messages AS m ON m.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[]) AND c.deleted_at IS NULL
      GROUP BY c.id
     HAVING count(m.id) <> c.last_seq OR COALESCE(max(m.seq), 0) <> c.last_seq OR COALESCE(min(m.seq), 1) <> 1
      ORDER BY c.id`,
  "version-newest": `SELECT c.id AS "chatId", c.version, max(m.version) AS "maxVersion"
       FROM chats AS c JOIN messages AS m ON m.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[]) AND c.deleted_at IS NULL
      GROUP BY c.id
     HAVING max(m.version) <> c.version
      ORDER BY c.id`,
  "version-unique": `SELECT chat_id AS "chatId", version, count(*)::int AS messages
       FROM messages
      WHERE chat_id = ANY($ids::bigint[])
      GROUP BY chat_id, version
     HAVING count(*) > 1
      ORDER BY chat_id, version`,
  "version-not-below-seq": `SELECT chat_id AS "chatId", id AS "messageId", seq, version
       FROM messages
      WHERE chat_id = ANY($ids::bigint[]) AND version < seq
      ORDER BY chat_id, seq`,
  "last-message": `SELECT c.id AS "chatId", c.last_message_id AS "lastMessageId", m.id AS "newestId"
       FROM chats AS c LEFT JOIN messages AS m ON m.chat_id = c.id AND m.seq = c.last_seq
      WHERE c.id = ANY($ids::bigint[]) AND c.deleted_at IS NULL AND c.last_message_id IS DISTINCT FROM m.id
      ORDER BY c.id`,
  "marks-not-beyond-end": `SELECT c.id AS "chatId", member.user_id AS "userId", member.read_seq AS "readSeq",
            member.cleared_seq AS "clearedSeq", c.last_seq AS "lastSeq"
       FROM chats AS c JOIN chat_members AS member ON member.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[])
        AND (member.read_seq > c.last_seq OR member.cleared_seq > c.last_seq OR member.read_seq < member.cleared_seq)
      ORDER BY c.id, member.user_id`,
  "dialog-pair": `SELECT c.id AS "chatId", c.pair_low AS "pairLow", c.pair_high AS "pairHigh",
            array_agg(member.user_id ORDER BY member.user_id) FILTER (WHERE member.user_id IS NOT NULL) AS members
       FROM chats AS c LEFT JOIN chat_members AS member ON member.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[]) AND c.kind = 'dialog'
      GROUP BY c.id
     HAVING COALESCE(array_agg(member.user_id ORDER BY member.user_id) FILTER (WHERE member.user_id IS NOT NULL), '{}')
            <> (SELECT COALESCE(array_agg(u.id ORDER BY u.id), '{}')
                  FROM users AS u
                 WHERE u.id IN (c.pair_low, c.pair_high) AND u.deleted_at IS NULL)
      ORDER BY c.id`,
  "group-has-one-owner": `SELECT c.id AS "chatId", count(*) FILTER (WHERE member.role = 'owner')::int AS owners, count(*)::int AS members
       FROM chats AS c JOIN chat_members AS member ON member.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[]) AND c.kind = 'group' AND c.deleted_at IS NULL
      GROUP BY c.id
     HAVING count(*) FILTER (WHERE member.role = 'owner') <> 1
      ORDER BY c.id`,
  "ended-chat-has-no-members": `SELECT c.id AS "chatId", member.user_id AS "userId"
       FROM chats AS c JOIN chat_members AS member ON member.chat_id = c.id
      WHERE c.id = ANY($ids::bigint[]) AND c.deleted_at IS NOT NULL
      ORDER BY c.id, member.user_id`,
  "reply-in-same-chat": `SELECT m.chat_id AS "chatId", m.id AS "messageId", m.reply_to AS "replyTo"
       FROM messages AS m LEFT JOIN messages AS original ON original.id = m.reply_to
      WHERE m.chat_id = ANY($ids::bigint[]) AND m.reply_to IS NOT NULL
        AND (original.id IS NULL OR original.chat_id <> m.chat_id)
      ORDER BY m.chat_id, m.seq`,
  "reaction-to-shown-message": `SELECT m.chat_id AS "chatId", m.id AS "messageId", count(*)::int AS reactions
       FROM messages AS m JOIN message_reactions AS r ON r.message_id = m.id
      WHERE m.chat_id = ANY($ids::bigint[]) AND (m.deleted_at IS NOT NULL OR m.event IS NOT NULL OR m.change IS NULL)
      GROUP BY m.id
      ORDER BY m.chat_id, m.id`,
  "files-of-shown-message": `SELECT m.chat_id AS "chatId", m.id AS "messageId", count(*)::int AS files
       FROM messages AS m
       JOIN message_files AS mf ON mf.message_id = m.id
       JOIN files AS f ON f.id = mf.file_id
      WHERE m.chat_id = ANY($ids::bigint[])
        AND (m.deleted_at IS NOT NULL OR m.event IS NOT NULL OR f.state <> 'ready' OR NOT f.is_claimed
             OR f.removed_at IS NOT NULL)
      GROUP BY m.id
      ORDER BY m.chat_id, m.id`,
  "pin-of-shown-message": `SELECT m.chat_id AS "chatId", m.id AS "messageId", pin.chat_id AS "pinnedInChatId"
       FROM messages AS m JOIN chat_pins AS pin ON pin.message_id = m.id
      WHERE m.chat_id = ANY($ids::bigint[])
        AND (m.deleted_at IS NOT NULL OR m.event IS NOT NULL OR m.change IS NULL OR pin.chat_id <> m.chat_id)
      ORDER BY m.chat_id, m.id`,
  // In chats whose latest changes are indexed.
  "text-of-shown-message": `SELECT m.chat_id AS "chatId", m.id AS "messageId", t.message_id IS NOT NULL AS "isFound"
       FROM chats AS c
       JOIN chat_texts AS indexed ON indexed.chat_id = c.id AND indexed.version >= c.version
       JOIN messages AS m ON m.chat_id = c.id
  LEFT JOIN message_texts AS t ON t.message_id = m.id
      WHERE c.id = ANY($ids::bigint[]) AND c.deleted_at IS NULL
        AND ((t.message_id IS NULL) = (m.deleted_at IS NULL AND m.event IS NULL)
             OR (t.chat_id, t.seq, t.sender_id, t.created_at) <> (m.chat_id, m.seq, m.sender_id, m.created_at))
      ORDER BY m.chat_id, m.id`,
  "mentions-of-shown-message": `WITH listed AS (
            SELECT DISTINCT (mention ->> 'userId')::bigint AS user_id, m.chat_id, m.seq, m.id AS message_id
              FROM messages AS m, jsonb_array_elements(m.mentions) AS mention
             WHERE m.chat_id = ANY($ids::bigint[]) AND (mention ->> 'userId')::bigint <> m.sender_id
          ), stored AS (
            SELECT user_id, chat_id, seq, message_id, true AS is_stored
              FROM message_mentions
             WHERE chat_id = ANY($ids::bigint[])
          )
     SELECT chat_id AS "chatId", message_id AS "messageId", user_id AS "userId"
       FROM (SELECT *, true AS is_listed FROM listed) AS listed FULL JOIN stored USING (user_id, chat_id, seq, message_id)
      WHERE is_listed IS NULL OR is_stored IS NULL
      UNION ALL
     SELECT chat_id, id, NULL
       FROM messages
      WHERE chat_id = ANY($ids::bigint[]) AND (mentions IS NOT NULL OR mentions_all)
        AND (deleted_at IS NOT NULL OR event IS NOT NULL)
      ORDER BY 1, 2, 3`,
};

/** What must hold for whole tables, beside the references between them. */
export const tableInvariants: Readonly<Record<string, string>> = {
  "deleted-user-has-no-session": `SELECT s.id AS "sessionId", s.user_id AS "userId"
       FROM sessions AS s JOIN users AS u ON u.id = s.user_id
      WHERE u.deleted_at IS NOT NULL AND s.revoked_at IS NULL ORDER BY s.id`,
  "state-version-newest": `SELECT u.id AS "userId", u.state_version AS "stateVersion", max(entry.version) AS "maxVersion"
       FROM users AS u JOIN user_state AS entry ON entry.user_id = u.id
      GROUP BY u.id
     HAVING max(entry.version) > u.state_version ORDER BY u.id`,
  "state-after-forgotten": `SELECT entry.user_id AS "userId", entry.key, entry.version
       FROM user_state AS entry JOIN users AS u ON u.id = entry.user_id
      WHERE entry.version <= u.state_pruned_version ORDER BY entry.user_id, entry.version`,
  "deleted-user-has-no-state": `SELECT entry.user_id AS "userId", count(*)::int AS keys
       FROM user_state AS entry JOIN users AS u ON u.id = entry.user_id
      WHERE u.deleted_at IS NOT NULL GROUP BY entry.user_id ORDER BY entry.user_id`,
};
