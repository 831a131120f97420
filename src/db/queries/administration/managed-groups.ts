import type { ManagedGroup } from "../../../domain/administration.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { type AvatarRow, withAvatar } from "../avatars/avatars.ts";

/** Returns the names of a slice of the groups that have not ended, by rising id. Index: chats_groups. */
export function groupNames(
  database: Database,
  { after, limit }: { after: number; limit: number },
): Promise<{ id: number; name: string }[]> {
  return select(
    database,
    `SELECT id, name FROM chats
      WHERE kind = 'group' AND deleted_at IS NULL AND id > $after
      ORDER BY id
      LIMIT $limit`,
    { after, limit },
  );
}

/** Returns those of these groups that have not ended, by rising id. Indexes: chats_pkey, chat_members_of_chat, messages_pkey. */
export async function managedGroups(database: Database, ids: readonly number[]): Promise<ManagedGroup[]> {
  const rows = await select<AvatarRow<ManagedGroup>>(
    database,
    `SELECT c.id, c.name, c.avatar_id AS "avatarId", c.created_at AS "createdAt", m.created_at AS "lastMessageAt",
            (SELECT count(*)::int FROM chat_members WHERE chat_id = c.id) AS members,
            (SELECT min(user_id) FROM chat_members WHERE chat_id = c.id AND role = 'owner') AS "ownerId"
       FROM chats AS c
  LEFT JOIN messages AS m ON m.id = c.last_message_id
      WHERE c.id = ANY ($ids::bigint[]) AND c.kind = 'group' AND c.deleted_at IS NULL
      ORDER BY c.id`,
    { ids },
  );
  return rows.map(withAvatar);
}
