import { Computed, group, integer, seconds, Unset, url } from "../setting.ts";

const databaseUrl = url(
  "DATABASE_URL",
  {
    schemes: ["postgres", "postgresql"],
    form: "postgres://user:password@host:5432/database",
    example: "postgres://messenger:messenger@127.0.0.1:5432/messenger",
  },
  new Unset("the embedded PostgreSQL, with its data in DATA_DIR"),
  "A server with PostgreSQL 15 or newer. `?host=/folder/of/a/unix/socket` and `?sslmode=verify-full` are understood.",
);

export const databaseSettings = group(
  {
    title: "Database",
    note: "Requests that exceed a database timeout get 503 or `UNAVAILABLE`. The embedded PostgreSQL survives a killed process, but not a power failure.",
  },
  {
    url: databaseUrl,
    poolSize: integer(
      "DATABASE_POOL_SIZE",
      [1, 200],
      10,
      "Most connections to PostgreSQL; the embedded one always has one.",
    ),
    startTimeoutMs: seconds("DATABASE_START_TIMEOUT_SECONDS", [1, 3600], 60, "Time to wait for PostgreSQL at start."),
    timeouts: {
      statementMs: seconds("DATABASE_STATEMENT_TIMEOUT_SECONDS", [1, 600], 5, "Time for one statement."),
      lockMs: seconds("DATABASE_LOCK_TIMEOUT_SECONDS", [1, 600], 2, "Time for a statement to wait for a lock."),
      acquireMs: seconds(
        "DATABASE_ACQUIRE_TIMEOUT_SECONDS",
        [1, 600],
        // All requests share the one connection of the embedded database, also while a transaction is open.
        Computed.from(databaseUrl, (address) => (address === undefined ? 10 : 3), "3 with DATABASE_URL, else 10"),
        "Time to wait for a free connection of the pool.",
      ),
    },
  },
);
