"use strict";

// What many people send at once is stored in one round trip: locks, verdicts, numbers and rows. See decision 11.

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- These rows change with every message; room beside them lets a change stay on its page and out of the indexes.
        ALTER TABLE chats SET (fillfactor = 70);
        ALTER TABLE chat_members SET (fillfactor = 80);

        -- Stores the messages of one group, given column by column in the order in which they arrived. A message without
        -- a receiver goes to a group. Each has a verdict of its own:
        --   written  it is stored, as id, seq and version say
        --   stored   this sender has stored something under its client id before: id is that message
        --   held     somebody else holds its chat, or that of an earlier message of its sender: try again
        --   refused  the chat is not there, or closed to the sender
        --   noReply  what it answers is not a message of the chat
        -- The locks are taken in a statement of their own: the next one sees everything that was committed before.
        -- A plan is made once for each connection, perhaps when the tables are as good as empty and every plan looks cheap:
        -- hence only what stays good when they grow, one look into an index for each message.
        CREATE OR REPLACE FUNCTION send_messages(
          chat_ids bigint[], sender_ids bigint[], receiver_ids bigint[], client_message_ids text[], reply_tos bigint[],
          contents text[])
        RETURNS json
        LANGUAGE plpgsql
        SET enable_seqscan = off
        SET enable_hashjoin = off
        SET enable_mergejoin = off
        SET enable_material = off
        SET enable_bitmapscan = off
        SET random_page_cost = 1.1
        SET jit = off
        SET plan_cache_mode = force_generic_plan
        AS $$
        DECLARE
          locked bigint[];
          moment timestamptz;
          answer json;
        BEGIN
          SELECT COALESCE(array_agg(free.id), '{}') INTO locked
            FROM (SELECT chats.id FROM chats
                   WHERE chats.id = ANY (chat_ids) AND chats.deleted_at IS NULL
                   ORDER BY chats.id
                     FOR NO KEY UPDATE SKIP LOCKED) AS free;
          moment := date_trunc('milliseconds', clock_timestamp());

          WITH judged AS (
            SELECT draft.*, chat.last_seq, chat.version, stored.id AS stored_id,
                   CASE
                     WHEN stored.id IS NOT NULL THEN 'stored'
                     WHEN chat.id IS NOT NULL AND NOT chat.id = ANY (locked) THEN 'held'
                     WHEN (chat.kind = 'group') IS DISTINCT FROM (draft.receiver_id IS NULL) THEN 'refused'
                     WHEN sender.user_id IS NULL THEN 'refused'
                     WHEN draft.receiver_id IS NOT NULL AND receiver.user_id IS NULL THEN 'refused'
                     WHEN block.user_id IS NOT NULL THEN 'refused'
                     WHEN draft.reply_to IS NOT NULL AND reply.chat_id IS DISTINCT FROM chat.id THEN 'noReply'
                     ELSE 'written'
                   END AS verdict
              FROM unnest(chat_ids, sender_ids, receiver_ids, client_message_ids, reply_tos, contents) WITH ORDINALITY
                     AS draft (chat_id, sender_id, receiver_id, client_message_id, reply_to, content, n)
         LEFT JOIN chats AS chat ON chat.id = draft.chat_id AND chat.deleted_at IS NULL
         LEFT JOIN messages AS stored
                ON stored.sender_id = draft.sender_id AND stored.client_message_id = draft.client_message_id
         LEFT JOIN chat_members AS sender ON sender.user_id = draft.sender_id AND sender.chat_id = draft.chat_id
         LEFT JOIN chat_members AS receiver ON receiver.user_id = draft.receiver_id AND receiver.chat_id = draft.chat_id
         LEFT JOIN blocks AS block ON block.user_id = draft.receiver_id AND block.blocked_id = draft.sender_id
         LEFT JOIN messages AS reply ON reply.id = draft.reply_to
          ), ruled AS (
            -- What somebody sends is stored in the order in which it was sent, whatever the chats.
            SELECT judged.*,
                   CASE WHEN judged.verdict <> 'stored'
                             AND bool_or(judged.verdict = 'held') OVER (PARTITION BY judged.sender_id ORDER BY judged.n)
                        THEN 'held' ELSE judged.verdict END AS ruling
              FROM judged
          ), placed AS (
            SELECT ruled.*, row_number() OVER in_chat AS place, lead(ruled.n) OVER in_chat IS NULL AS is_last
              FROM ruled
            WINDOW in_chat AS (PARTITION BY ruled.chat_id, ruled.ruling ORDER BY ruled.n)
             ORDER BY ruled.n
          ), numbered AS MATERIALIZED (
            SELECT n, chat_id, sender_id, receiver_id, client_message_id, reply_to, content, ruling, is_last,
                   last_seq + place AS seq, version + place AS new_version,
                   CASE ruling WHEN 'written' THEN nextval('messages_id_seq') WHEN 'stored' THEN stored_id END AS id
              FROM placed
          ), counted AS (
            UPDATE chats
               SET last_seq = newest.seq, version = newest.new_version, last_message_id = newest.id
              FROM numbered AS newest
             WHERE chats.id = newest.chat_id AND newest.ruling = 'written' AND newest.is_last
          ), read AS (
            -- Who writes has read up to there.
            UPDATE chat_members AS member
               SET read_seq = latest.seq
              FROM (SELECT numbered.chat_id, numbered.sender_id, max(numbered.seq) AS seq
                      FROM numbered
                     WHERE numbered.ruling = 'written'
                     GROUP BY numbered.chat_id, numbered.sender_id) AS latest
             WHERE member.chat_id = latest.chat_id AND member.user_id = latest.sender_id
          ), written AS (
            INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, reply_to, content, created_at)
            SELECT id, chat_id, seq, new_version, sender_id, client_message_id, reply_to, content, moment
              FROM numbered
             WHERE ruling = 'written'
          )
          SELECT json_build_object(
                   'createdAt', moment,
                   'verdicts', (SELECT json_agg(json_build_array(ruling, id, seq, new_version) ORDER BY n) FROM numbered),
                   'people', (SELECT json_agg(json_build_array(users.id, users.first_name, users.last_name))
                                FROM (SELECT sender_id AS id FROM numbered WHERE ruling = 'written'
                                       UNION SELECT receiver_id FROM numbered WHERE ruling = 'written') AS person
                                JOIN users ON users.id = person.id),
                   'groups', (SELECT json_agg(json_build_array(chats.id, chats.name,
                                       (SELECT json_agg(user_id) FROM chat_members WHERE chat_id = chats.id)))
                                FROM (SELECT DISTINCT chat_id FROM numbered
                                       WHERE ruling = 'written' AND receiver_id IS NULL) AS touched
                                JOIN chats ON chats.id = touched.chat_id))
            INTO answer;
          RETURN answer;
        END $$;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP FUNCTION IF EXISTS send_messages(bigint[], bigint[], bigint[], text[], bigint[], text[]);
        ALTER TABLE chats RESET (fillfactor);
        ALTER TABLE chat_members RESET (fillfactor);
        `,
        { transaction },
      ),
    ),
};
