import { onDatabase } from "../support/on-database.ts";

/** A moment's sleep now and then, of at most 50 ms. */
const nap = `
  CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.05); END IF;
    RETURN NULL;
  END $$;`;

const beforeInsert =
  "CREATE TRIGGER nap_before_insert BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION nap();";

const beforeCommit = `
  CREATE CONSTRAINT TRIGGER nap_before_commit AFTER INSERT ON messages
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap();`;

/** Has the database sleep now and then before it inserts messages, while the locks are held. */
export const napBeforeInserts = (url: string): Promise<void> => run(url, nap + beforeInsert);

/** Widens the moments in which a fault shows as far as they go: it sleeps before it commits messages, too. */
export const widenWindows = (url: string): Promise<void> => run(url, nap + beforeInsert + beforeCommit);

async function run(url: string, sql: string): Promise<void> {
  await onDatabase(url, (client) => client.query(sql));
}
