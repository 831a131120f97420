"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- The network address from which an active session was last logged in or refreshed: log-ins of its user from
        -- there do not share a limit with those of strangers. Erased when the session ends.
        ALTER TABLE sessions ADD COLUMN IF NOT EXISTS address text;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("ALTER TABLE sessions DROP COLUMN IF EXISTS address;", { transaction }),
    ),
};
