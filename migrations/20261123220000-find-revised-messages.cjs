"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- What was edited or taken back lately, for processes that look for each other's changes. New messages are at
        -- the end of the primary key and pay nothing for this.
        CREATE INDEX IF NOT EXISTS messages_revised_at ON messages (GREATEST(edited_at, deleted_at))
         WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("DROP INDEX IF EXISTS messages_revised_at;", { transaction }),
    ),
};
