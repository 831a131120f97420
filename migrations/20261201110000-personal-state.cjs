"use strict";

module.exports = {
  compatibleSince: "20261130200000-reactions-and-pins.cjs",

  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    await database.transaction((transaction) =>
      database.query(
        `
        -- The number of changes of the user's state, and the newest of those that were forgotten. Raised under the row lock.
        ALTER TABLE users
          ADD COLUMN IF NOT EXISTS state_version bigint NOT NULL DEFAULT 0,
          ADD COLUMN IF NOT EXISTS state_pruned_version bigint NOT NULL DEFAULT 0;

        CREATE TABLE IF NOT EXISTS user_state (
          user_id    bigint NOT NULL REFERENCES users (id),
          key        text NOT NULL,
          -- Null: removed.
          value      jsonb,
          -- The size of key and value as JSON.
          bytes      integer NOT NULL,
          version    bigint NOT NULL,
          changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          PRIMARY KEY (user_id, key),
          CONSTRAINT user_state_version_unique UNIQUE (user_id, version)
        );
        -- For processes that look for each other's changes.
        CREATE INDEX IF NOT EXISTS user_state_changed_at ON user_state (changed_at);
        -- Removed keys, which are forgotten after some time.
        CREATE INDEX IF NOT EXISTS user_state_removed ON user_state (changed_at) WHERE value IS NULL;

        -- A deleted account has no state, also where a process of the previous version deletes it.
        CREATE OR REPLACE FUNCTION remove_user_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM user_state WHERE user_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER users_remove_state AFTER UPDATE OF deleted_at ON users
          FOR EACH ROW
          WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
          EXECUTE FUNCTION remove_user_state();
        `,
        { transaction },
      ),
    );
  },

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP TRIGGER IF EXISTS users_remove_state ON users;
        DROP FUNCTION IF EXISTS remove_user_state;
        DROP TABLE IF EXISTS user_state;
        ALTER TABLE users DROP COLUMN IF EXISTS state_version, DROP COLUMN IF EXISTS state_pruned_version;
        `,
        { transaction },
      ),
    ),
};
