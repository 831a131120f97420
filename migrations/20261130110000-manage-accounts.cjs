"use strict";

module.exports = {
  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    await database.transaction((transaction) =>
      database.query(
        `
        -- The log is read by administrator and by action, too.
        CREATE INDEX IF NOT EXISTS audit_log_actor ON audit_log (actor_id, id);
        CREATE INDEX IF NOT EXISTS audit_log_action ON audit_log (action, id);

        -- Deleted accounts whose messages are to be deleted. A row disappears with the last message.
        CREATE TABLE IF NOT EXISTS message_erasures (
          user_id      bigint PRIMARY KEY REFERENCES users (id),
          requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );

        -- For the number of open sockets on all processes. Processes of the previous version do not count theirs.
        ALTER TABLE server_processes ADD COLUMN IF NOT EXISTS sockets integer NOT NULL DEFAULT 0;
        `,
        { transaction },
      ),
    );
    // Built beside running writers. An index that a killed process left unfinished is replaced.
    const indexes = [
      "users_suspended ON users (id) WHERE suspended_at IS NOT NULL",
      "chats_groups ON chats (id) WHERE kind = 'group' AND deleted_at IS NULL",
      // The messages of one person, which are counted for administrators and deleted with the account.
      "messages_of_sender ON messages (sender_id, id) WHERE event IS NULL AND deleted_at IS NULL",
      // Messages are stored in about the order of this time, so an index of a few pages is enough to find those of a month.
      "messages_created_at ON messages USING brin (created_at)",
    ];
    for (const index of indexes) {
      const [name] = index.split(" ");
      const [[found]] = await database.query(
        `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('${name}')`,
      );
      if (found?.valid) continue;
      await database.query(`DROP INDEX IF EXISTS ${name}`);
      await database.query(`CREATE INDEX CONCURRENTLY ${index}`);
    }
  },

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        DROP INDEX IF EXISTS messages_created_at;
        DROP INDEX IF EXISTS messages_of_sender;
        DROP INDEX IF EXISTS chats_groups;
        DROP INDEX IF EXISTS users_suspended;
        ALTER TABLE server_processes DROP COLUMN IF EXISTS sockets;
        DROP TABLE IF EXISTS message_erasures;
        DROP INDEX IF EXISTS audit_log_action;
        DROP INDEX IF EXISTS audit_log_actor;
        `,
        { transaction },
      ),
    ),
};
