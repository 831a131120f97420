"use strict";

module.exports = {
  compatibleSince: "20261130200000-reactions-and-pins.cjs",

  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- What search finds, derived from messages by a job. Deleted messages and system messages have no row.
        CREATE TABLE IF NOT EXISTS message_texts (
          message_id bigint PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
          chat_id    bigint NOT NULL,
          seq        bigint NOT NULL,
          sender_id  bigint NOT NULL,
          created_at timestamptz NOT NULL,
          -- In the form in which texts are compared.
          text       text NOT NULL,
          -- Hashes of the sequences of one, two and three characters in it.
          grams      int4[] NOT NULL
        );
        CREATE INDEX IF NOT EXISTS message_texts_of_chat ON message_texts (chat_id, message_id);
        -- A short pending list: searches read all of it, and the embedded database stops while it is merged.
        CREATE INDEX IF NOT EXISTS message_texts_grams ON message_texts USING gin (grams) WITH (gin_pending_list_limit = 512);

        -- Up to which version of a chat message_texts has its messages. The row lock is held while they are added.
        CREATE TABLE IF NOT EXISTS chat_texts (
          chat_id bigint PRIMARY KEY,
          version bigint NOT NULL DEFAULT 0
        );

        -- A deleted message is not found any more, also where a process of the previous version deletes it.
        CREATE OR REPLACE FUNCTION remove_message_text() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM message_texts WHERE message_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER messages_remove_text AFTER UPDATE OF deleted_at ON messages
          FOR EACH ROW
          WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
          EXECUTE FUNCTION remove_message_text();
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP TRIGGER IF EXISTS messages_remove_text ON messages;
        DROP FUNCTION IF EXISTS remove_message_text;
        DROP TABLE IF EXISTS chat_texts;
        DROP TABLE IF EXISTS message_texts;
        `,
        { transaction },
      ),
    ),
};
