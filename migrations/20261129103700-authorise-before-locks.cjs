"use strict";

// Chats are locked only for senders who may write to them, and one message alone takes a shorter path. See decision 11.

const previous = require("./20261123090000-send-messages.cjs");

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- Stores messages as described where the function was first created. A chat is locked only if one of its messages
        -- comes from a member who is not blocked, so nobody else waits for its lock or makes others wait. That is read again
        -- once the locks are held. A message that is refused is refused whether or not its chat is held.
        -- Not tested before the lock, because it is rare: the receiver of a private message has deleted the account.
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
          -- Of one message alone:
          the_chat bigint := chat_ids[1];
          the_sender bigint := sender_ids[1];
          the_receiver bigint := receiver_ids[1];
          locked_chat record;
          judged_send record;
          new_id bigint;
        BEGIN
          -- The same rules for one message: the statement for many takes longer to start than to run.
          IF cardinality(chat_ids) = 1 THEN
            SELECT chats.name, chats.last_seq + 1 AS seq, chats.version + 1 AS version INTO locked_chat
              FROM chats
             WHERE chats.id = the_chat AND chats.deleted_at IS NULL
               AND CASE WHEN the_receiver IS NULL
                        THEN EXISTS (SELECT FROM chat_members WHERE user_id = the_sender AND chat_id = the_chat)
                        ELSE NOT EXISTS (SELECT FROM blocks WHERE user_id = the_receiver AND blocked_id = the_sender) END
               FOR NO KEY UPDATE SKIP LOCKED;
            moment := date_trunc('milliseconds', clock_timestamp());
            SELECT stored.id AS stored_id,
                   CASE
                     WHEN stored.id IS NOT NULL THEN 'stored'
                     WHEN (chat.kind = 'group') IS DISTINCT FROM (the_receiver IS NULL) THEN 'refused'
                     WHEN NOT EXISTS (SELECT FROM chat_members WHERE user_id = the_sender AND chat_id = the_chat)
                       THEN 'refused'
                     WHEN the_receiver IS NOT NULL
                          AND NOT EXISTS (SELECT FROM chat_members WHERE user_id = the_receiver AND chat_id = the_chat)
                       THEN 'refused'
                     WHEN EXISTS (SELECT FROM blocks WHERE user_id = the_receiver AND blocked_id = the_sender) THEN 'refused'
                     WHEN locked_chat.seq IS NULL THEN 'held'
                     WHEN reply_tos[1] IS NOT NULL
                          AND (SELECT chat_id FROM messages WHERE id = reply_tos[1]) IS DISTINCT FROM the_chat THEN 'noReply'
                     ELSE 'written'
                   END AS verdict
              INTO judged_send
              FROM (VALUES (the_chat)) AS draft (chat_id)
         LEFT JOIN chats AS chat ON chat.id = draft.chat_id AND chat.deleted_at IS NULL
         LEFT JOIN messages AS stored ON stored.sender_id = the_sender AND stored.client_message_id = client_message_ids[1];
            IF judged_send.verdict <> 'written' THEN
              RETURN json_build_object(
                'createdAt', moment,
                'verdicts', json_build_array(json_build_array(judged_send.verdict, judged_send.stored_id, NULL, NULL)));
            END IF;
            INSERT INTO messages (chat_id, seq, version, sender_id, client_message_id, reply_to, content, created_at)
            VALUES (the_chat, locked_chat.seq, locked_chat.version, the_sender, client_message_ids[1], reply_tos[1],
                    contents[1], moment)
            RETURNING id INTO new_id;
            UPDATE chats
               SET last_seq = locked_chat.seq, version = locked_chat.version, last_message_id = new_id
             WHERE id = the_chat;
            UPDATE chat_members SET read_seq = locked_chat.seq WHERE user_id = the_sender AND chat_id = the_chat;
            RETURN json_build_object(
              'createdAt', moment,
              'verdicts',
              json_build_array(json_build_array('written', new_id, locked_chat.seq, locked_chat.version)),
              'people', (SELECT json_agg(json_build_array(id, first_name, last_name))
                           FROM users WHERE id IN (the_sender, the_receiver)),
              'groups', CASE WHEN the_receiver IS NULL THEN json_build_array(json_build_array(the_chat, locked_chat.name,
                          (SELECT json_agg(user_id) FROM chat_members WHERE chat_id = the_chat))) END);
          END IF;

          SELECT COALESCE(array_agg(free.id), '{}') INTO locked
            FROM (SELECT chats.id FROM chats
                   WHERE chats.id = ANY (ARRAY(
                           SELECT draft.chat_id
                             FROM unnest(chat_ids, sender_ids, receiver_ids) AS draft (chat_id, sender_id, receiver_id)
                            WHERE CASE WHEN draft.receiver_id IS NULL
                                       THEN EXISTS (SELECT FROM chat_members AS member
                                                     WHERE member.user_id = draft.sender_id AND member.chat_id = draft.chat_id)
                                       ELSE NOT EXISTS (SELECT FROM blocks
                                                         WHERE blocks.user_id = draft.receiver_id
                                                           AND blocks.blocked_id = draft.sender_id) END))
                     AND chats.deleted_at IS NULL
                   ORDER BY chats.id
                     FOR NO KEY UPDATE SKIP LOCKED) AS free;
          moment := date_trunc('milliseconds', clock_timestamp());

          WITH judged AS (
            SELECT draft.*, chat.last_seq, chat.version, stored.id AS stored_id,
                   CASE
                     WHEN stored.id IS NOT NULL THEN 'stored'
                     WHEN (chat.kind = 'group') IS DISTINCT FROM (draft.receiver_id IS NULL) THEN 'refused'
                     WHEN sender.user_id IS NULL THEN 'refused'
                     WHEN draft.receiver_id IS NOT NULL AND receiver.user_id IS NULL THEN 'refused'
                     WHEN block.user_id IS NOT NULL THEN 'refused'
                     WHEN chat.id IS NOT NULL AND NOT chat.id = ANY (locked) THEN 'held'
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
                                FROM users
                               WHERE users.id = ANY (ARRAY(SELECT unnest(ARRAY[sender_id, receiver_id])
                                                             FROM numbered WHERE ruling = 'written'))),
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

  down: (queryInterface) => previous.up(queryInterface),
};
