import type { Transaction } from "sequelize";
import {
  type AccountStatus,
  type ManagedUser,
  maxCountedMessages,
  type UserRole,
} from "../../../domain/administration.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { type AvatarRow, withAvatar } from "../avatars/avatars.ts";

const columns = `u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId", u.role,
            u.created_at AS "createdAt", u.last_seen_at AS "lastSeenAt", u.suspended_at AS "suspendedAt",
            (SELECT count(*)::int FROM sessions AS s WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS sessions,
            (SELECT count(*)::int
               FROM (SELECT FROM messages AS m
                      WHERE m.sender_id = u.id AND m.event IS NULL AND m.deleted_at IS NULL
                      LIMIT ${maxCountedMessages}) AS counted) AS messages`;

/** Each is written in the form of its index: users_admins, users_suspended. */
const roleConditions: Record<UserRole, string> = { user: "AND u.role = 'user'", admin: "AND u.role = 'admin'" };
const statusConditions: Record<AccountStatus, string> = {
  active: "AND u.suspended_at IS NULL",
  suspended: "AND u.suspended_at IS NOT NULL",
};

/** Which accounts are listed. */
export interface UserFilter {
  /** The search form of a part of the e-mail address or of the names; see `emailKey` and `nameKey`. */
  search?: { emailKey: string; nameKey: string } | undefined;
  role?: UserRole | undefined;
  status?: AccountStatus | undefined;
}

/**
 * Returns a page of the accounts that are not deleted, by rising id. A search reads the accounts in this order until the
 * page is full: it is for administrators, who look for any part of a name or address. Indexes: users_pkey, users_admins,
 * users_suspended, sessions_live_of_user, messages_of_sender.
 */
export async function managedUsers(
  database: Database,
  { search, role, status }: UserFilter,
  page: { after: number; limit: number },
): Promise<ManagedUser[]> {
  const searchCondition = `AND (position($emailKey IN u.email_key) > 0
             OR position($nameKey IN concat_ws(' ', u.first_name_key, u.last_name_key)) > 0)`;
  const rows = await select<AvatarRow<ManagedUser>>(
    database,
    `SELECT ${columns}
       FROM users AS u
      WHERE u.deleted_at IS NULL AND u.id > $after ${role ? roleConditions[role] : ""}
            ${status ? statusConditions[status] : ""} ${search ? searchCondition : ""}
      ORDER BY u.id
      LIMIT $limit`,
    { ...search, ...page },
  );
  return rows.map(withAvatar);
}

/** Returns one account; undefined if there is none or it is deleted. */
export async function managedUser(
  database: Database,
  id: number,
  transaction?: Transaction,
): Promise<ManagedUser | undefined> {
  const [row] = await select<AvatarRow<ManagedUser>>(
    database,
    `SELECT ${columns} FROM users AS u WHERE u.deleted_at IS NULL AND u.id = $id`,
    { id },
    transaction,
  );
  return row && withAvatar(row);
}
