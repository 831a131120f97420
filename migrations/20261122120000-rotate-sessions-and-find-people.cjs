"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        ALTER TABLE sessions ADD COLUMN IF NOT EXISTS refreshed_at timestamptz NOT NULL DEFAULT clock_timestamp();

        -- Every process asks every second which sessions ended lately; see session-watch.ts.
        CREATE INDEX IF NOT EXISTS sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

        -- Names as they are searched: lower case, without accents, computed by the server as email_key is.
        ALTER TABLE users ADD COLUMN IF NOT EXISTS first_name_key text COLLATE "C";
        ALTER TABLE users ADD COLUMN IF NOT EXISTS last_name_key text COLLATE "C";
        UPDATE users
           SET first_name_key = lower(regexp_replace(normalize(first_name, NFKD), '[\\u0300-\\u036f]', '', 'g')),
               last_name_key = lower(regexp_replace(normalize(coalesce(last_name, ''), NFKD), '[\\u0300-\\u036f]', '', 'g'))
         WHERE deleted_at IS NULL AND first_name_key IS NULL;

        -- A prefix is a range of these, in the order in which people are listed.
        CREATE INDEX IF NOT EXISTS users_by_first_name ON users (first_name_key, last_name_key, id) WHERE deleted_at IS NULL;
        CREATE INDEX IF NOT EXISTS users_by_last_name ON users (last_name_key, first_name_key, id) WHERE deleted_at IS NULL;

        CREATE TABLE IF NOT EXISTS blocks (
          user_id    bigint NOT NULL REFERENCES users (id),
          blocked_id bigint NOT NULL REFERENCES users (id),
          created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          PRIMARY KEY (user_id, blocked_id),
          CONSTRAINT blocks_others CHECK (user_id <> blocked_id)
        );

        -- The groups whose history waits to be removed.
        CREATE INDEX IF NOT EXISTS chats_ended ON chats (id) WHERE deleted_at IS NOT NULL AND last_message_id IS NOT NULL;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP INDEX IF EXISTS chats_ended;
        DROP TABLE IF EXISTS blocks;
        DROP INDEX IF EXISTS users_by_last_name;
        DROP INDEX IF EXISTS users_by_first_name;
        ALTER TABLE users DROP COLUMN IF EXISTS last_name_key, DROP COLUMN IF EXISTS first_name_key;
        DROP INDEX IF EXISTS sessions_revoked_at;
        ALTER TABLE sessions DROP COLUMN IF EXISTS refreshed_at;
        `,
        { transaction },
      ),
    ),
};
