import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** An account as administrators see it. */
export interface ListedAccount {
  id: number;
  email: string;
  firstName: string;
  lastName: string | null;
  createdAt: Date;
  /** When the last device disconnected; null for an account that has never been online. */
  lastSeenAt: Date | null;
  /** The number of active sessions. */
  sessions: number;
}

const columns = `u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.created_at AS "createdAt",
            u.last_seen_at AS "lastSeenAt",
            (SELECT count(*)::int FROM sessions AS s WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS sessions`;

/**
 * Returns a page of the accounts that are not deleted, by rising id.
 * A search reads all accounts: it is for administrators. Indexes: the primary key of users, sessions_of_user.
 */
export function listAccounts(
  database: Database,
  { search, after, limit }: { search: string; after: number; limit: number },
): Promise<ListedAccount[]> {
  return select<ListedAccount>(
    database,
    `SELECT ${columns}
       FROM users AS u
      WHERE u.deleted_at IS NULL AND u.id > $after
        AND ($search = '' OR position(lower($search) IN lower(concat_ws(' ', u.email, u.first_name, u.last_name))) > 0)
      ORDER BY u.id
      LIMIT $limit`,
    { search, after, limit },
  );
}

/** Returns one account; undefined if there is none or it is deleted. */
export async function accountById(database: Database, id: number): Promise<ListedAccount | undefined> {
  const [account] = await select<ListedAccount>(
    database,
    `SELECT ${columns} FROM users AS u WHERE u.deleted_at IS NULL AND u.id = $id`,
    { id },
  );
  return account;
}
