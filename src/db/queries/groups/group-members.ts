import type { Role } from "../../../domain/chat.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Someone in a group. */
export interface GroupMember {
  userId: number;
  firstName: string;
  lastName: string | null;
  role: Role;
  joinedAt: Date;
}

/** One page of who is in a group: the owner, the admins, then the members, the longest there first. Index: chat_members_of_chat. */
export function groupMembers(
  database: Database,
  screen: { groupId: number; limit: number; offset: number },
): Promise<GroupMember[]> {
  return select<GroupMember>(
    database,
    `SELECT member.user_id AS "userId", u.first_name AS "firstName", u.last_name AS "lastName",
            member.role, member.joined_at AS "joinedAt"
       FROM chat_members AS member
       JOIN users AS u ON u.id = member.user_id
      WHERE member.chat_id = $groupId
      ORDER BY CASE member.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 ELSE 3 END, member.joined_at, member.user_id
      LIMIT $limit OFFSET $offset`,
    screen,
  );
}
