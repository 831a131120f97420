"use strict";

module.exports = {
  compatibleSince: "20261129103700-authorise-before-locks.cjs",

  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- For versions that do not have a migration: the newest migration that they must have to work on its schema.
        ALTER TABLE server_state ADD COLUMN IF NOT EXISTS compatible_migrations jsonb NOT NULL DEFAULT '{}';
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("ALTER TABLE server_state DROP COLUMN IF EXISTS compatible_migrations;", {
        transaction,
      }),
    ),
};
