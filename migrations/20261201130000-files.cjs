"use strict";

/** Only plans with an index lookup per file: a connection plans each statement once, perhaps while tables are empty. */
const settings = `
        SET enable_seqscan = off
        SET enable_hashjoin = off
        SET enable_mergejoin = off
        SET enable_material = off
        SET enable_bitmapscan = off
        SET jit = off
        SET plan_cache_mode = force_generic_plan`;

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- Files that users upload. The row comes first, and is deleted last, so that no object is without a row: the storage
        -- keeps the objects under the id. A quota counts size, which the uploader has declared; stored_size is what is served.
        CREATE TABLE IF NOT EXISTS files (
          id          uuid PRIMARY KEY,
          owner_id    bigint NOT NULL,
          name        text NOT NULL,
          size        bigint NOT NULL CHECK (size >= 0),
          stored_size bigint,
          media_type  text NOT NULL,
          width       integer,
          height      integer,
          thumb_hash  bytea,
          sha256      bytea,
          state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ready', 'refused')),
          -- Whether a message has had it. Its owner reads it without a message only until then.
          is_claimed  boolean NOT NULL DEFAULT false,
          created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
          -- When a job looks whether it is to be deleted; null while it is in a message.
          collect_at  timestamptz,
          -- Set before the objects are deleted: from then on no message can take it.
          removed_at  timestamptz,
          CONSTRAINT files_ready CHECK (state <> 'ready' OR (sha256 IS NOT NULL AND stored_size IS NOT NULL))
        );
        CREATE INDEX IF NOT EXISTS files_of_owner ON files (owner_id) INCLUDE (size);
        CREATE INDEX IF NOT EXISTS files_to_collect ON files (collect_at) WHERE collect_at IS NOT NULL;

        -- Written under the row lock of the message's chat.
        CREATE TABLE IF NOT EXISTS message_files (
          message_id bigint NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
          file_id    uuid NOT NULL REFERENCES files (id),
          position   smallint NOT NULL,
          PRIMARY KEY (message_id, file_id)
        );
        CREATE INDEX IF NOT EXISTS message_files_of_file ON message_files (file_id);

        -- A deleted message has no files, also where a process of the previous version deletes it.
        CREATE OR REPLACE FUNCTION remove_files() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM message_files WHERE message_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER messages_remove_files AFTER UPDATE OF deleted_at ON messages
          FOR EACH ROW
          WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
          EXECUTE FUNCTION remove_files();

        -- Files that a message had, whatever deletes it, are looked at by the job. Locked by rising id, as everywhere.
        CREATE OR REPLACE FUNCTION collect_released_files() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM FROM files WHERE id IN (SELECT file_id FROM released) ORDER BY id FOR NO KEY UPDATE;
          UPDATE files SET collect_at = clock_timestamp() WHERE id IN (SELECT file_id FROM released);
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER message_files_collect AFTER DELETE ON message_files
          REFERENCING OLD TABLE AS released
          FOR EACH STATEMENT
          EXECUTE FUNCTION collect_released_files();

        -- Stores messages as send_messages does, and their files, in one transaction. file_ids has a JSON array of ids for
        -- each message, in their order. A file must be ready, its sender's, and in no other message; else the message is
        -- not stored, and its result is 'noFiles'. Files are locked by rising id before chats, for which send_messages
        -- never waits. mentions is null if no message has any; with mentions, the function of that name is called.
        CREATE OR REPLACE FUNCTION send_messages_with_files(
          chat_ids bigint[], sender_ids bigint[], receiver_ids bigint[], client_message_ids text[], reply_tos bigint[],
          contents text[], file_ids json, mentions jsonb[], mentions_all boolean[], max_members integer)
        RETURNS json
        LANGUAGE plpgsql ${settings}
        AS $$
        DECLARE
          answer jsonb;
          verdicts jsonb;
          refused integer[];
        BEGIN
          PERFORM FROM files
            WHERE (id, owner_id) IN (
                    SELECT wanted.id::uuid, sender_ids[message.n]
                      FROM json_array_elements(file_ids) WITH ORDINALITY AS message (ids, n)
                     CROSS JOIN json_array_elements_text(message.ids) AS wanted (id))
            ORDER BY id
              FOR UPDATE;

          SELECT COALESCE(array_agg(DISTINCT wanted.n), '{}') INTO refused
            FROM (SELECT message.n::integer AS n, given.id::uuid AS id, sender_ids[message.n] AS sender_id,
                         count(*) OVER (PARTITION BY given.id, message.n) > 1
                           OR message.n > min(message.n) OVER (PARTITION BY given.id) AS is_taken
                    FROM json_array_elements(file_ids) WITH ORDINALITY AS message (ids, n)
                   CROSS JOIN json_array_elements_text(message.ids) AS given (id)) AS wanted
       LEFT JOIN files ON files.id = wanted.id
           WHERE wanted.is_taken OR files.id IS NULL OR files.owner_id <> wanted.sender_id OR files.state <> 'ready'
              OR files.is_claimed OR files.removed_at IS NOT NULL;

          -- Where files are missing, the message replies to one that never exists, so that it is not stored.
          reply_tos := ARRAY(SELECT CASE WHEN n = ANY (refused) THEN 0 ELSE reply_to END
                               FROM unnest(reply_tos) WITH ORDINALITY AS reply (reply_to, n) ORDER BY n);
          IF mentions IS NULL THEN
            answer := send_messages(chat_ids, sender_ids, receiver_ids, client_message_ids, reply_tos, contents);
          ELSE
            answer := send_messages(chat_ids, sender_ids, receiver_ids, client_message_ids, reply_tos, contents,
                                    mentions, mentions_all, max_members);
          END IF;

          SELECT jsonb_agg(CASE WHEN n = ANY (refused) AND verdict ->> 0 = 'noReply'
                                THEN jsonb_build_array('noFiles', NULL, NULL, NULL) ELSE verdict END ORDER BY n)
            INTO verdicts
            FROM jsonb_array_elements(answer -> 'verdicts') WITH ORDINALITY AS result (verdict, n);

          WITH claimed AS (
            INSERT INTO message_files (message_id, file_id, position)
            SELECT (result.verdict ->> 1)::bigint, given.id::uuid, given.position - 1
              FROM jsonb_array_elements(verdicts) WITH ORDINALITY AS result (verdict, n)
              JOIN json_array_elements(file_ids) WITH ORDINALITY AS message (ids, n) ON message.n = result.n
             CROSS JOIN json_array_elements_text(message.ids) WITH ORDINALITY AS given (id, position)
             WHERE result.verdict ->> 0 = 'written'
            RETURNING file_id
          )
          UPDATE files SET is_claimed = true, collect_at = NULL FROM claimed WHERE files.id = claimed.file_id;

          RETURN answer || jsonb_build_object('verdicts', verdicts);
        END $$;

        -- A name of the storage on disk: processes that share the database must share the folder in which it is.
        ALTER TABLE server_state ADD COLUMN IF NOT EXISTS files_marker text;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        ALTER TABLE server_state DROP COLUMN IF EXISTS files_marker;
        DROP FUNCTION IF EXISTS send_messages_with_files;
        DROP TRIGGER IF EXISTS messages_remove_files ON messages;
        DROP FUNCTION IF EXISTS remove_files;
        DROP TABLE IF EXISTS message_files;
        DROP FUNCTION IF EXISTS collect_released_files;
        DROP TABLE IF EXISTS files;
        `,
        { transaction },
      ),
    ),
};
