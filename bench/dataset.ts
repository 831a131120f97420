import jwt from "jsonwebtoken";
import { migrate } from "../src/db/migrate.ts";
import { createLogger } from "../src/logger.ts";
import { onDatabase } from "../test/support/on-database.ts";

/** Who is there before a run starts. */
export interface World {
  /** People have the numbers 1 to this one, and each has a session of the same number. */
  people: number;
  /** The group number `n` has the members 1 to `n`, as the limits have it. */
  groups?: readonly number[];
  /** SQL that adds what a scenario needs beside them. */
  sql?: string;
}

/** Of a run that nobody but its own load can reach. */
export const benchSecret = "the benchmark signs its own tokens";

/** A token of one of the people, as the server would give it. */
export const tokenOf = (userId: number): string =>
  jwt.sign({ sub: String(userId), id: userId, sid: userId }, benchSecret, {
    algorithm: "HS256",
    issuer: "messenger",
    audience: "messenger",
    expiresIn: "1d",
  });

/** Makes the tables and the people, without the work of registering them. */
export async function populate(url: string, { people, groups = [], sql = "" }: World): Promise<void> {
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
