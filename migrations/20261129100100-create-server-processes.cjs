"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- The running processes of the messenger. Each updates its row every few seconds; a killed one stops doing so.
        CREATE TABLE IF NOT EXISTS server_processes (
          id uuid PRIMARY KEY,
          has_redis boolean NOT NULL,
          seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("DROP TABLE IF EXISTS server_processes;", { transaction }),
    ),
};
