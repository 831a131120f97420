import { QueryTypes } from "sequelize";
import { connectForMigrations } from "../connect.ts";

/** What is found in a database before it is migrated. */
export interface Inspection {
  /** The version of PostgreSQL. */
  version: string;
  /** Whether it has no tables of the messenger. */
  isEmpty: boolean;
  /** Whether its sessions have no timeouts unless they set them. */
  lacksTimeouts: boolean;
}

/** Looks at a database without changing it. */
export async function inspect(url: string): Promise<Inspection> {
  const database = connectForMigrations(url, { keepsSession: false });
  try {
    const [found] = await database.query<Inspection>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
              to_regclass('"SequelizeMeta"') IS NULL AS "isEmpty",
              EXISTS (SELECT FROM pg_settings
                       WHERE reset_val = '0' AND name IN ('statement_timeout', 'lock_timeout',
                                                          'idle_in_transaction_session_timeout')) AS "lacksTimeouts"`,
      { type: QueryTypes.SELECT },
    );
    if (!found) throw new Error("the database returned no row");
    return found;
  } finally {
    await database.close();
  }
}
