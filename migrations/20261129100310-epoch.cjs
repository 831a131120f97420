"use strict";

module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query(
        `
        -- What belongs to the database as a whole: one row.
        CREATE TABLE IF NOT EXISTS server_state (
          id            smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
          -- Random; replaced when the data is restored.
          epoch         text NOT NULL DEFAULT gen_random_uuid()::text,
          -- Identifies the files of an embedded database. A copy of them has other inodes and times.
          embedded_files text
        );
        INSERT INTO server_state (id) VALUES (1) ON CONFLICT DO NOTHING;

        -- Changes whenever this may not be the continuation of the same history: another cluster (a dump restored
        -- elsewhere), another timeline (a point-in-time recovery, a failover), another database or table (a dump restored
        -- over it), another random part. A standby has the timeline of its primary; a promoted one shows its new
        -- timeline in the name of the current WAL file before the next checkpoint does.
        CREATE OR REPLACE FUNCTION server_epoch() RETURNS text LANGUAGE sql STABLE AS $$
          SELECT left(encode(sha256(convert_to(concat_ws(' ', server_state.epoch, control.system_identifier,
                   CASE WHEN pg_is_in_recovery()
                        THEN lpad(upper(to_hex((SELECT timeline_id FROM pg_control_checkpoint()))), 8, '0')
                        ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
                   (SELECT oid FROM pg_database WHERE datname = current_database()),
                   'server_state'::regclass::oid), 'UTF8')), 'hex'), 32)
            FROM server_state, pg_control_system() AS control
        $$;
        `,
        { transaction },
      ),
    ),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction((transaction) =>
      queryInterface.sequelize.query("DROP FUNCTION IF EXISTS server_epoch; DROP TABLE IF EXISTS server_state;", {
        transaction,
      }),
    ),
};
