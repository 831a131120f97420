"use strict";

/** Only plans with an index lookup per message: a connection plans each statement once, perhaps while tables are empty. */
const settings = `
        SET enable_seqscan = off
        SET enable_hashjoin = off
        SET enable_mergejoin = off
        SET enable_material = off
        SET enable_bitmapscan = off
        SET jit = off
        SET plan_cache_mode = force_generic_plan`;

module.exports = {
  compatibleSince: "20261130200000-reactions-and-pins.cjs",

  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    await database.transaction((transaction) =>
      database.query(
        `
        -- The parts of the text that mention members: [{"userId": …, "offset": …, "length": …}, …].
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS mentions jsonb;
        -- True if the message mentions everybody in its group, else null.
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS mentions_all boolean;

        -- The mentions of each person but the sender's of themselves. Users are never removed, and a trigger removes the rows
        -- of a message, so there are no foreign keys.
        CREATE TABLE IF NOT EXISTS message_mentions (
          user_id    bigint NOT NULL,
          chat_id    bigint NOT NULL,
          seq        bigint NOT NULL,
          message_id bigint NOT NULL,
          PRIMARY KEY (user_id, chat_id, seq)
        );
        CREATE UNIQUE INDEX IF NOT EXISTS message_mentions_newest ON message_mentions (user_id, message_id);

        -- A text that is replaced or deleted mentions nobody, also where a process of the previous version does it. An edit that
        -- mentions people adds them afterwards.
        CREATE OR REPLACE FUNCTION remove_mentions() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM message_mentions
           WHERE user_id = ANY (ARRAY(SELECT (mention ->> 'userId')::bigint FROM jsonb_array_elements(OLD.mentions) AS mention))
             AND chat_id = OLD.chat_id AND seq = OLD.seq;
          IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
          NEW.mentions := NULL;
          NEW.mentions_all := NULL;
          RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER messages_remove_mentions BEFORE UPDATE OF content OR DELETE ON messages
          FOR EACH ROW
          WHEN (OLD.mentions IS NOT NULL OR OLD.mentions_all)
          EXECUTE FUNCTION remove_mentions();

        -- Adds mentions to messages that have none, whose chats are locked. Drops those of people who are not members.
        -- Returns what it has stored of each message.
        CREATE OR REPLACE FUNCTION add_mentions(message_ids bigint[], mentions jsonb[], mentions_all boolean[])
        RETURNS TABLE (message_id bigint, stored jsonb)
        LANGUAGE sql ${settings}
        AS $$
          WITH kept AS MATERIALIZED (
            SELECT m.id, m.chat_id, m.seq, m.sender_id, given.mentions_all,
                   (SELECT jsonb_agg(mention ORDER BY place)
                      FROM jsonb_array_elements(given.mentions) WITH ORDINALITY AS list (mention, place)
                      JOIN chat_members AS member
                        ON member.user_id = (mention ->> 'userId')::bigint AND member.chat_id = m.chat_id) AS mentions
              FROM unnest(message_ids, mentions, mentions_all) AS given (id, mentions, mentions_all)
              JOIN messages AS m ON m.id = given.id
          ), changed AS (
            UPDATE messages SET mentions = kept.mentions, mentions_all = NULLIF(kept.mentions_all, false)
              FROM kept
             WHERE messages.id = kept.id AND (kept.mentions IS NOT NULL OR kept.mentions_all)
          ), added AS (
            INSERT INTO message_mentions (user_id, chat_id, seq, message_id)
            SELECT DISTINCT (mention ->> 'userId')::bigint, chat_id, seq, id
              FROM kept, jsonb_array_elements(kept.mentions) AS mention
             WHERE (mention ->> 'userId')::bigint <> sender_id
          )
          SELECT id, mentions FROM kept WHERE mentions IS NOT NULL;
        $$;

        -- The places of the messages that mention everybody in a group of more than max_members, whose senders are neither
        -- admins nor the owner.
        CREATE OR REPLACE FUNCTION may_not_mention_all(
          chat_ids bigint[], sender_ids bigint[], mentions_all boolean[], max_members integer)
        RETURNS bigint[]
        LANGUAGE sql ${settings}
        AS $$
          SELECT ARRAY(
            SELECT sent.n
              FROM unnest(chat_ids, sender_ids, mentions_all) WITH ORDINALITY AS sent (chat_id, sender_id, mentions_all, n)
              JOIN chat_members AS sender
                ON sender.user_id = sent.sender_id AND sender.chat_id = sent.chat_id AND sender.role = 'member'
             WHERE sent.mentions_all
               AND (SELECT count(*) FROM chat_members AS member WHERE member.chat_id = sent.chat_id) > max_members
             ORDER BY sent.n);
        $$;

        -- Stores messages like send_messages, with their mentions. The answer also has the mentions that were stored, by the
        -- ids of their messages, and the verdict notForAll for messages that may not mention everybody.
        CREATE OR REPLACE FUNCTION send_messages(
          chat_ids bigint[], sender_ids bigint[], receiver_ids bigint[], client_message_ids text[], reply_tos bigint[],
          contents text[], mentions jsonb[], mentions_all boolean[], max_members integer)
        RETURNS json
        LANGUAGE plpgsql
        AS $$
        DECLARE
          not_allowed bigint[] := may_not_mention_all(chat_ids, sender_ids, mentions_all, max_members);
          place bigint;
          answer jsonb;
        BEGIN
          -- Without a chat, a message is refused, unless it was stored before.
          FOREACH place IN ARRAY not_allowed LOOP
            chat_ids[place] := NULL;
          END LOOP;
          answer := send_messages(chat_ids, sender_ids, receiver_ids, client_message_ids, reply_tos, contents);
          -- From here on the chats are locked. If members or roles have changed since, the transaction is repeated.
          IF may_not_mention_all(chat_ids, sender_ids, mentions_all, max_members) <> '{}' THEN
            RAISE EXCEPTION 'the right to mention everybody has changed' USING ERRCODE = 'serialization_failure';
          END IF;
          FOREACH place IN ARRAY not_allowed LOOP
            IF answer #>> ARRAY['verdicts', (place - 1)::text, '0'] = 'refused' THEN
              answer := jsonb_set(answer, ARRAY['verdicts', (place - 1)::text, '0'], '"notForAll"');
            END IF;
          END LOOP;
          RETURN answer || jsonb_build_object('mentions', (
            SELECT jsonb_agg(jsonb_build_array(message_id, stored))
              FROM add_mentions(
                     ARRAY(SELECT CASE WHEN verdict ->> 0 = 'written' THEN (verdict ->> 1)::bigint END
                             FROM jsonb_array_elements(answer -> 'verdicts') WITH ORDINALITY AS list (verdict, n)
                            ORDER BY n),
                     mentions, mentions_all)));
        END $$;
        `,
        { transaction },
      ),
    );
    // Built beside running writers. An index that a killed process left unfinished is replaced.
    const [[index]] = await database.query(
      "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('messages_mentions_all')",
    );
    if (index?.valid) return;
    await database.query("DROP INDEX IF EXISTS messages_mentions_all");
    await database.query(
      "CREATE INDEX CONCURRENTLY messages_mentions_all ON messages (chat_id, seq) WHERE mentions_all",
    );
  },

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP TRIGGER IF EXISTS messages_remove_mentions ON messages;
        DROP FUNCTION IF EXISTS send_messages(
          bigint[], bigint[], bigint[], text[], bigint[], text[], jsonb[], boolean[], integer);
        DROP FUNCTION IF EXISTS may_not_mention_all;
        DROP FUNCTION IF EXISTS add_mentions;
        DROP FUNCTION IF EXISTS remove_mentions;
        DROP TABLE IF EXISTS message_mentions;
        ALTER TABLE messages DROP COLUMN IF EXISTS mentions_all, DROP COLUMN IF EXISTS mentions;
        `,
        { transaction },
      ),
    ),
};
