import pg from "pg";

/**
 * Widens the moments in which a fault shows: the database sleeps now and then before it inserts messages, while the
 * locks are held, and before it commits them.
 */
export async function widenWindows(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF random() < 0.3 THEN PERFORM pg_sleep(random() * 0.05); END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER nap_before_insert BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION nap();
      CREATE CONSTRAINT TRIGGER nap_before_commit AFTER INSERT ON messages
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap();`);
  } finally {
    await client.end();
  }
}
