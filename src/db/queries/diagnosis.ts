import { QueryTypes, type Sequelize } from "sequelize";

/** What an administrator may have to change about a PostgreSQL server. */
export interface ServerFacts {
  /** As PostgreSQL writes it, such as `15.4`. */
  version: string;
  /** The major version. */
  major: number;
  encoding: string;
  /** Whether commits wait for the disk. */
  isDurable: boolean;
  /** Connections that the server accepts, without those kept for superusers. */
  maxConnections: number;
  schema: string | null;
  canCreateTables: boolean;
  /** Needed to find out whether the disk is full. */
  canCreateTemporaryTables: boolean;
  /** Tables of the schema that the role may not read or write, without those of extensions. */
  forbiddenTables: string[];
  /** The clock of the server minus that of this machine, in milliseconds. */
  clockDifferenceMs: number;
}

type Row = Omit<ServerFacts, "clockDifferenceMs"> & { now: number };

/** Reads them without changing anything. */
export async function readServerFacts(database: Sequelize): Promise<ServerFacts> {
  const before = Date.now();
  const [row] = await database.query<Row>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
            current_setting('server_version_num')::int / 10000 AS major,
            current_setting('server_encoding') AS encoding,
            current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off' AS "isDurable",
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
              AS "maxConnections",
            current_schema() AS schema,
            COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false) AS "canCreateTables",
            has_database_privilege(current_database(), 'TEMPORARY') AS "canCreateTemporaryTables",
            ARRAY(SELECT c.relname::text FROM pg_class AS c
                   WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema()::text)
                     AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                              AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
                     AND NOT EXISTS (SELECT FROM pg_depend AS d
                                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                   ORDER BY 1 LIMIT 100) AS "forbiddenTables",
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
    { type: QueryTypes.SELECT },
  );
  if (!row) throw new Error("the database returned no row");
  const { now, ...facts } = row;
  // The row was made at some moment between the two.
  return { ...facts, clockDifferenceMs: distance(now, [before, Date.now()]) };
}

function distance(moment: number, [start, end]: readonly [number, number]): number {
  if (moment < start) return moment - start;
  return moment > end ? moment - end : 0;
}

/** Processes that reported themselves a few seconds ago, and how many of them have a Redis. */
export async function countProcesses(database: Sequelize): Promise<{ all: number; withRedis: number }> {
  const [row] = await database.query<{ all: number; withRedis: number }>(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE has_redis)::int AS "withRedis"
       FROM server_processes WHERE seen_at > clock_timestamp() - interval '6 s'`,
    { type: QueryTypes.SELECT },
  );
  return row ?? { all: 0, withRedis: 0 };
}

/**
 * Counts the chats with messages that should have been indexed for searches ten minutes ago. Reads all chats, and the newest
 * messages of those that are behind: the primary keys of chats and chat_texts, and messages_version_unique.
 */
export async function countUnsearchableChats(database: Sequelize): Promise<number> {
  const [row] = await database.query<{ chats: number }>(
    `SELECT count(*)::int AS chats
       FROM chats AS c
  LEFT JOIN chat_texts AS t ON t.chat_id = c.id
      WHERE c.version > COALESCE(t.version, 0)
        AND EXISTS (SELECT FROM messages AS m
                     WHERE m.chat_id = c.id AND m.version > COALESCE(t.version, 0)
                       AND COALESCE(m.changed_at, m.created_at) < clock_timestamp() - interval '10 min')`,
    { type: QueryTypes.SELECT },
  );
  return row?.chats ?? 0;
}
