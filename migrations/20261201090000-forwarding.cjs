"use strict";

module.exports = {
  compatibleSince: "20261130200000-reactions-and-pins.cjs",

  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- Of a forwarded message: the message that was forwarded, which a repeated request is compared with, and the user who
        -- first wrote it. The one may be purged, the other is never removed. Neither has a foreign key: its check would lock
        -- rows of other chats.
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS forwarded_from bigint;
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS first_author_id bigint;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        "ALTER TABLE messages DROP COLUMN IF EXISTS forwarded_from, DROP COLUMN IF EXISTS first_author_id;",
        { transaction },
      ),
    ),
};
