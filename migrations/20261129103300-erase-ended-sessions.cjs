"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- What an ended session need not keep. Later ends erase it at once.
        UPDATE sessions SET user_agent = NULL, address = NULL, refresh_hash = '', previous_hash = NULL
         WHERE revoked_at IS NOT NULL AND (user_agent IS NOT NULL OR refresh_hash <> '');

        -- The active sessions that have not been refreshed for longest are purged.
        CREATE INDEX IF NOT EXISTS sessions_refreshed_at ON sessions (refreshed_at) WHERE revoked_at IS NULL;
        `,
        { transaction },
      ),
    ),

  // What was erased is nothing that an earlier version reads.
  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("DROP INDEX IF EXISTS sessions_refreshed_at;", { transaction }),
    ),
};
