"use strict";

/** Messages whose change is recorded by one statement, so that nobody waits long for their locks. */
const chunkSize = 1000;

module.exports = {
  up: async (queryInterface) => {
    const database = queryInterface.sequelize;
    await database.transaction((transaction) =>
      database.query(
        `
        -- The last change of a message after it was sent: {"kind": "edit" or "delete", "by": a user id, or null if unknown}.
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS change jsonb;
        -- When that was, by the clock of the database.
        ALTER TABLE messages ADD COLUMN IF NOT EXISTS changed_at timestamptz;

        -- Processes of the previous version do not write these columns.
        CREATE OR REPLACE FUNCTION record_message_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.changed_at := clock_timestamp();
          NEW.change := CASE WHEN NEW.deleted_at IS NULL THEN jsonb_build_object('kind', 'edit', 'by', NEW.sender_id)
                             ELSE jsonb_build_object('kind', 'delete', 'by', NULL) END;
          RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER messages_record_change BEFORE UPDATE ON messages
          FOR EACH ROW
          WHEN (NEW.version <> OLD.version AND NEW.change IS NOT DISTINCT FROM OLD.change
                AND NEW.changed_at IS NOT DISTINCT FROM OLD.changed_at)
          EXECUTE FUNCTION record_message_change();
        `,
        { transaction },
      ),
    );
    await recordEarlierChanges(database);
    // Built beside running writers. An index that a killed process left unfinished is replaced.
    const indexes = [
      // For processes that look for each other's changes. New messages are found by id and pay nothing for this.
      "messages_changed_at ON messages (changed_at) WHERE changed_at IS NOT NULL",
      // The system messages of a group. Other messages pay nothing for this.
      "messages_events ON messages (chat_id, seq) WHERE event IS NOT NULL",
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
        DROP INDEX IF EXISTS messages_events;
        DROP INDEX IF EXISTS messages_changed_at;
        DROP TRIGGER IF EXISTS messages_record_change ON messages;
        DROP FUNCTION IF EXISTS record_message_change;
        ALTER TABLE messages DROP COLUMN IF EXISTS change, DROP COLUMN IF EXISTS changed_at;
        `,
        { transaction },
      ),
    ),
};

/** Messages edited or deleted before: who deleted one was not recorded. Index: messages_revised_at. */
async function recordEarlierChanges(database) {
  for (;;) {
    const [rows] = await database.query(
      `UPDATE messages
          SET changed_at = GREATEST(edited_at, deleted_at),
              change = CASE WHEN deleted_at IS NULL THEN jsonb_build_object('kind', 'edit', 'by', sender_id)
                            ELSE jsonb_build_object('kind', 'delete', 'by', NULL) END
        WHERE id IN (SELECT id FROM messages
                      WHERE (edited_at IS NOT NULL OR deleted_at IS NOT NULL) AND changed_at IS NULL
                      ORDER BY GREATEST(edited_at, deleted_at)
                      LIMIT ${chunkSize})
    RETURNING id`,
    );
    if (rows.length < chunkSize) return;
  }
}
