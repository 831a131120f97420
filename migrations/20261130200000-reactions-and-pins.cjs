"use strict";

module.exports = {
  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    await database.transaction((transaction) =>
      database.query(
        `
        -- Written under the row lock of the message's chat. Users are never removed, so there is no foreign key to them: its
        -- check would lock accounts after chats.
        CREATE TABLE IF NOT EXISTS message_reactions (
          message_id bigint NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
          user_id    bigint NOT NULL,
          emoji      text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          PRIMARY KEY (message_id, user_id, emoji)
        );
        -- The reactions of a deleted account.
        CREATE INDEX IF NOT EXISTS message_reactions_of_user ON message_reactions (user_id, message_id);

        CREATE TABLE IF NOT EXISTS chat_pins (
          message_id bigint PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
          chat_id    bigint NOT NULL,
          by_user_id bigint NOT NULL,
          pinned_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp())
        );
        CREATE INDEX IF NOT EXISTS chat_pins_of_chat ON chat_pins (chat_id, pinned_at);

        -- The rows of deleted accounts, whose reactions a job removes.
        CREATE INDEX IF NOT EXISTS users_deleted ON users (id) WHERE deleted_at IS NOT NULL;

        -- A deleted message has neither reactions nor a pin, also where a process of the previous version deletes it.
        CREATE OR REPLACE FUNCTION remove_reactions_and_pin() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM message_reactions WHERE message_id = NEW.id;
          DELETE FROM chat_pins WHERE message_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER messages_remove_reactions_and_pin AFTER UPDATE OF deleted_at ON messages
          FOR EACH ROW
          WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
          EXECUTE FUNCTION remove_reactions_and_pin();
        `,
        { transaction },
      ),
    );
  },

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP TRIGGER IF EXISTS messages_remove_reactions_and_pin ON messages;
        DROP FUNCTION IF EXISTS remove_reactions_and_pin;
        DROP INDEX IF EXISTS users_deleted;
        DROP TABLE IF EXISTS chat_pins;
        DROP TABLE IF EXISTS message_reactions;
        `,
        { transaction },
      ),
    ),
};
