"use strict";

// No compatibleSince: earlier versions cannot describe the event avatarChanged.

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- Pictures of users and groups, of some kilobytes each. A row belongs to the one user or group that names it. The id
        -- has 128 random bits: a client that knows it may read the picture.
        CREATE TABLE IF NOT EXISTS avatars (
          id         text PRIMARY KEY,
          picture    bytea NOT NULL,
          created_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        ALTER TABLE avatars ALTER COLUMN picture SET STORAGE EXTERNAL;
        ALTER TABLE users ADD COLUMN IF NOT EXISTS avatar_id text;
        ALTER TABLE chats ADD COLUMN IF NOT EXISTS avatar_id text;

        -- A deleted account and a group that has ended have no avatar, whatever deletes them, and a replaced one is removed.
        CREATE OR REPLACE FUNCTION drop_avatar() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.avatar_id := NULL;
          RETURN NEW;
        END $$;
        CREATE OR REPLACE FUNCTION remove_avatar() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM avatars WHERE id = OLD.avatar_id;
          RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER users_drop_avatar BEFORE UPDATE OF deleted_at ON users
          FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND NEW.avatar_id IS NOT NULL) EXECUTE FUNCTION drop_avatar();
        CREATE OR REPLACE TRIGGER users_remove_avatar AFTER UPDATE OF deleted_at, avatar_id ON users
          FOR EACH ROW WHEN (OLD.avatar_id IS NOT NULL AND OLD.avatar_id IS DISTINCT FROM NEW.avatar_id)
          EXECUTE FUNCTION remove_avatar();
        CREATE OR REPLACE TRIGGER chats_drop_avatar BEFORE UPDATE OF deleted_at ON chats
          FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND NEW.avatar_id IS NOT NULL) EXECUTE FUNCTION drop_avatar();
        CREATE OR REPLACE TRIGGER chats_remove_avatar AFTER UPDATE OF deleted_at, avatar_id ON chats
          FOR EACH ROW WHEN (OLD.avatar_id IS NOT NULL AND OLD.avatar_id IS DISTINCT FROM NEW.avatar_id)
          EXECUTE FUNCTION remove_avatar();
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP TRIGGER IF EXISTS users_drop_avatar ON users;
        DROP TRIGGER IF EXISTS users_remove_avatar ON users;
        DROP TRIGGER IF EXISTS chats_drop_avatar ON chats;
        DROP TRIGGER IF EXISTS chats_remove_avatar ON chats;
        DROP FUNCTION IF EXISTS drop_avatar;
        DROP FUNCTION IF EXISTS remove_avatar;
        ALTER TABLE users DROP COLUMN IF EXISTS avatar_id;
        ALTER TABLE chats DROP COLUMN IF EXISTS avatar_id;
        DROP TABLE IF EXISTS avatars;
        `,
        { transaction },
      ),
    ),
};
