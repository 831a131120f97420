"use strict";

module.exports = {
  compatibleSince: "20261129103700-authorise-before-locks.cjs",

  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- The epoch for which the sequences of ids were last raised. Where it is not the present one, ids after those of
        -- the database may have been used in a history that was lost.
        ALTER TABLE server_state ADD COLUMN IF NOT EXISTS ids_epoch text;
        UPDATE server_state SET ids_epoch = server_epoch() WHERE ids_epoch IS NULL;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("ALTER TABLE server_state DROP COLUMN IF EXISTS ids_epoch;", { transaction }),
    ),
};
