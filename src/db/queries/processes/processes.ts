import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Another process that uses the database, or did a few seconds ago. */
export interface OtherProcess {
  id: string;
  hasRedis: boolean;
  /** Its open sockets. */
  sockets: number;
  /** Changes whenever the process reports itself. */
  seenAt: string;
}

/** A process that has not reported itself for this long is taken for ended, in seconds, and its row is removed later. */
const expirySeconds = 10;
const removalSeconds = 60;

/** More than ever run on one database. */
const maxProcesses = 1000;

/** Reports that a process runs, and returns the others. Times are those of the database. Index: the primary key. */
export function reportProcess(
  database: Database,
  self: { id: string; hasRedis: boolean; sockets: number },
): Promise<OtherProcess[]> {
  return select<OtherProcess>(
    database,
    `WITH self AS (
            INSERT INTO server_processes (id, has_redis, sockets) VALUES ($id, $hasRedis, $sockets)
            ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), sockets = $sockets
          ), ended AS (
            DELETE FROM server_processes
             WHERE id IN (SELECT id FROM server_processes
                           WHERE seen_at < clock_timestamp() - make_interval(secs => $removalSeconds)
                           ORDER BY id FOR UPDATE SKIP LOCKED)
          )
     SELECT id, has_redis AS "hasRedis", sockets, seen_at::text AS "seenAt"
       FROM server_processes
      WHERE id <> $id AND seen_at > clock_timestamp() - make_interval(secs => $expirySeconds)
      ORDER BY id
      LIMIT $maxProcesses`,
    { ...self, expirySeconds, removalSeconds, maxProcesses },
  );
}

/** Removes the row of a process that ends. */
export async function removeProcess(database: Database, id: string): Promise<void> {
  await select(database, "DELETE FROM server_processes WHERE id = $id", { id });
}
