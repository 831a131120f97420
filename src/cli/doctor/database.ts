import type { Config } from "../../config/settings.ts";
import { describeUrl } from "../../db/connection-url.ts";
import { type Diagnosis, diagnose } from "../../db/diagnose.ts";
import { missingTimeouts } from "../../db/open.ts";
import { poolerFix } from "../../db/pooler.ts";
import { rejectionOf } from "../../db/start-errors.ts";
import { StartError } from "../../errors.ts";
import { error, type Finding, warning, when } from "./finding.ts";

const minMajor = 15;

/** A larger difference between two clocks is noticed by people, in milliseconds. */
const maxClockDifferenceMs = 5000;

/** Connections that are opened besides the pool, for migrations and commands. */
const otherConnections = 3;

/** The database on a PostgreSQL server. The embedded one is examined without being opened, with the data folder. */
export async function checkDatabase(config: Config): Promise<{ findings: Finding[]; diagnosis?: Diagnosis }> {
  const { url, poolSize } = config.database;
  if (url === undefined) return { findings: [] };
  try {
    const diagnosis = await diagnose(url);
    return { findings: describeDiagnosis(diagnosis, { database: describeUrl(url), poolSize }), diagnosis };
  } catch (reason) {
    return { findings: [unusable(reason, describeUrl(url))] };
  }
}

function unusable(failure: unknown, database: string): Finding {
  const why = "The server does not start without its database.";
  if (failure instanceof StartError) return error(failure.message.replace(` ${poolerFix}`, ""), why, poolerFix);
  const { reason, remedy } = rejectionOf(failure);
  const fix = remedy ?? "Start PostgreSQL, and check host and port in DATABASE_URL.";
  return error(`The database ${database} cannot be used: ${reason}`, why, fix);
}

/** What is wrong with a database that can be opened. */
export function describeDiagnosis(
  found: Diagnosis,
  { database, poolSize }: { database: string; poolSize: number },
): Finding[] {
  return [
    ...describeServer(found, poolSize),
    ...describeRights(found, database),
    ...describeMigrations(found),
    // Without a process, nobody indexes them.
    ...when(found.unsearchableChats > 0 && found.processes.all > 0, () =>
      warning(
        `Messages of ${found.unsearchableChats} chats have not been indexed for searches for more than ten minutes`,
        "Searches do not find them.",
        "Look in the log for `the indexing of messages for search failed`: it has the reason.",
      ),
    ),
    ...when(found.readOnlyReason !== undefined, () =>
      error(
        `In ${database} ${found.readOnlyReason}`,
        "Nothing can be sent or changed.",
        "Set DATABASE_URL to the primary, or end the read-only mode of the server.",
      ),
    ),
    ...when(found.pooling === "transaction" && found.lacksTimeouts, () =>
      warning(
        "The role has no timeouts, and PgBouncer pools transactions",
        "The server cannot set timeouts for statements and locks there: a slow statement can hold up others for ever.",
        missingTimeouts,
      ),
    ),
  ];
}

function describeServer(found: Diagnosis, poolSize: number): Finding[] {
  const seconds = Math.round(Math.abs(found.clockDifferenceMs) / 1000);
  const order = found.clockDifferenceMs > 0 ? "ahead of" : "behind";
  return [
    ...when(found.major < minMajor, () =>
      error(
        `PostgreSQL ${found.version} is too old`,
        `The messenger needs PostgreSQL ${minMajor} or newer.`,
        `Upgrade the server to PostgreSQL ${minMajor} or newer.`,
      ),
    ),
    ...when(found.encoding !== "UTF8", () =>
      error(
        `The encoding of the database is ${found.encoding}`,
        "Texts contain any character, which only UTF-8 can store: the server does not start.",
        "CREATE DATABASE messenger ENCODING 'UTF8' TEMPLATE template0, and set DATABASE_URL to it.",
      ),
    ),
    ...when(!found.isDurable, () =>
      warning(
        "PostgreSQL does not wait for its disk (fsync or synchronous_commit is off)",
        "After a power cut, acknowledged messages can be lost.",
        "ALTER SYSTEM RESET fsync; ALTER SYSTEM RESET synchronous_commit; SELECT pg_reload_conf()",
      ),
    ),
    ...when(poolSize + otherConnections > found.maxConnections, () =>
      warning(
        `PostgreSQL accepts ${found.maxConnections} connections, and one process opens up to ${poolSize + otherConnections}`,
        "Requests fail with 503 once there are no connections left.",
        `Set DATABASE_POOL_SIZE=${Math.max(1, found.maxConnections - otherConnections)} or less, or raise max_connections of PostgreSQL.`,
      ),
    ),
    ...when(Math.abs(found.clockDifferenceMs) > maxClockDifferenceMs, () =>
      warning(
        `The clock of the database is ${seconds} s ${order} that of this machine`,
        "Times of messages are those of the database, and tokens expire by the clock of this machine.",
        "Synchronise the clocks of both: timedatectl set-ntp true",
      ),
    ),
  ];
}

const describeRights = (found: Diagnosis, database: string): Finding[] => [
  ...when(!found.canCreateTables, () =>
    error(
      found.schema === null
        ? `The role of DATABASE_URL sees no schema in ${database}`
        : `The role of DATABASE_URL may not create tables in the schema ${found.schema} of ${database}`,
      "The server creates and migrates its tables at start.",
      found.schema === null
        ? "Check the search_path of the role: ALTER ROLE … RESET search_path"
        : `GRANT USAGE, CREATE ON SCHEMA ${found.schema} TO …`,
    ),
  ),
  ...when(!found.canCreateTemporaryTables, () =>
    warning(
      `The role of DATABASE_URL may not create temporary tables in ${database}`,
      "After a full disk, the server does not find out that there is space again.",
      "GRANT TEMPORARY ON DATABASE … TO …",
    ),
  ),
  ...when(found.forbiddenTables.length > 0, () =>
    error(
      `The role of DATABASE_URL may not read and write ${found.forbiddenTables.join(", ")}`,
      "Requests that use these tables fail.",
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${found.schema} TO …, or make the role their owner: REASSIGN OWNED`,
    ),
  ),
];

function describeMigrations({ migrations, processes }: Diagnosis): Finding[] {
  if (!migrations) return [];
  const { pending, compatible, incompatible } = migrations;
  return [
    ...when(incompatible.length > 0, () =>
      error(
        `The schema is newer than this version, which lacks ${incompatible.join(", ")}`,
        "The server does not start: it cannot know what a newer version has changed.",
        "Install the newer version, or restore the backup from before its migrations.",
      ),
    ),
    ...when(compatible.length > 0, () =>
      warning(
        `The schema is newer than this version and compatible with it: ${compatible.join(", ")}`,
        "This is the state during an upgrade or a rollback.",
        "Install the newer version when the upgrade is to go on.",
      ),
    ),
    ...when(pending.length > 0, () =>
      warning(
        `${pending.length} migrations have not run: ${pending.join(", ")}`,
        processes.all > 0 ? "The running processes have an older version." : "The next start runs them.",
        "Back up the database, then restart the server (docs/operations/upgrade.md).",
      ),
    ),
  ];
}
