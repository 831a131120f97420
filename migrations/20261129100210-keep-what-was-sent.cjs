"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- What a repeated send with a client id is compared with and answered from once its message has been changed: the
        -- version of the message as it was sent, and a salted, shortened digest of its text and the message it replies
        -- to. Written by the first change; most messages are never changed.
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS sent_version bigint;
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS sent_digest bytea;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        "ALTER TABLE messages DROP COLUMN IF EXISTS sent_version, DROP COLUMN IF EXISTS sent_digest;",
        { transaction },
      ),
    ),
};
