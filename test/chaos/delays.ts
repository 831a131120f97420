import { onDatabase } from "../support/on-database.ts";

/** A trigger function that sometimes sleeps, up to 50 ms. */
const createSleepFunction = `
  CREATE FUNCTION sleep_randomly() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.05); END IF;
    RETURN NULL;
  END $$;`;

const sleepBeforeInsert =
  "CREATE TRIGGER sleep_before_insert BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION sleep_randomly();";

const sleepBeforeCommit = `
  CREATE CONSTRAINT TRIGGER sleep_before_commit AFTER INSERT ON messages
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sleep_randomly();`;

/** Makes the database sometimes sleep before it inserts messages, while it holds the locks. */
export const delayInserts = (url: string): Promise<void> => run(url, createSleepFunction + sleepBeforeInsert);

/** As `delayInserts`, and also before commits. This widens the race windows in which faults become visible. */
export const delayInsertsAndCommits = (url: string): Promise<void> =>
  run(url, createSleepFunction + sleepBeforeInsert + sleepBeforeCommit);

async function run(url: string, sql: string): Promise<void> {
  await onDatabase(url, (client) => client.query(sql));
}
