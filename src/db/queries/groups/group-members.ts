import type { Role } from "../../../domain/chat.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { type AvatarRow, withAvatar } from "../avatars/avatars.ts";

/** A member of a group. */
export interface GroupMember {
  userId: number;
  firstName: string;
  lastName: string | null;
  avatarId?: string;
  role: Role;
  joinedAt: Date;
}

/** Returns a page of a group's members: the owner, the admins, then the others, those who joined first at the start. Index: chat_members_of_chat. */
export async function groupMembers(
  database: Database,
  page: { groupId: number; limit: number; offset: number },
): Promise<GroupMember[]> {
  const rows = await select<AvatarRow<GroupMember>>(
    database,
    `SELECT member.user_id AS "userId", u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId",
            member.role, member.joined_at AS "joinedAt"
       FROM chat_members AS member
       JOIN users AS u ON u.id = member.user_id
      WHERE member.chat_id = $groupId
      ORDER BY CASE member.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 ELSE 3 END, member.joined_at, member.user_id
      LIMIT $limit OFFSET $offset`,
    page,
  );
  return rows.map(withAvatar);
}
