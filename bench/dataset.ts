import jwt from "jsonwebtoken";
import { migrate } from "../src/db/migrate.ts";
import { createLogger } from "../src/logger.ts";
import { onDatabase } from "../test/support/on-database.ts";

/** The users and groups that exist before a run. */
export interface Dataset {
  /** Number of users. Their ids are 1 to this number, and each has a session with the same id. */
  people: number;
  /** Ids of groups. Group `n` has the users 1 to `n` as members, as in the reference servers. */
  groups?: readonly number[];
  /** SQL for further data of a scenario. */
  sql?: string;
}

/** Signs the tokens of a run, whose servers are reachable from this machine only. */
export const benchSecret = "the benchmark signs its own tokens";

/** A token of a user, as the messenger would issue it. */
export const tokenOf = (userId: number): string =>
  jwt.sign({ sub: String(userId), id: userId, sid: userId }, benchSecret, {
    algorithm: "HS256",
    issuer: "messenger",
    audience: "messenger",
    expiresIn: "1d",
  });

/** Creates the tables and inserts the dataset directly. */
export async function populate(url: string, { people, groups = [], sql = "" }: Dataset): Promise<void> {
  await migrate(url, createLogger({ level: "silent", readable: false }));
  await onDatabase(url, async (client) => {
    await client.query(
      `INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key)
       SELECT i, 'p' || i || '@bench.test', 'p' || i || '@bench.test', 'x', 'Person', i, 'person', i
         FROM generate_series(1, $1::int) AS i`,
      [people],
    );
    await client.query(
      "INSERT INTO sessions (id, user_id, refresh_hash) SELECT i, i, '' FROM generate_series(1, $1::int) AS i",
      [people],
    );
    for (const size of groups) {
      await client.query("INSERT INTO chats (id, kind, name) VALUES ($1::int, 'group', 'group of ' || $1::int)", [
        size,
      ]);
      await client.query(
        "INSERT INTO chat_members (user_id, chat_id) SELECT i, $1::int FROM generate_series(1, $1::int) AS i",
        [size],
      );
    }
    if (sql) await client.query(sql);
    for (const table of ["users", "sessions", "chats", "messages"]) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM ${table}), false)`,
      );
    }
    await client.query("ANALYZE");
  });
}
