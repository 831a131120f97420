import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A picture to store. */
export interface NewAvatar {
  id: string;
  /** WebP. */
  picture: Buffer;
}

/**
 * Gives a user or a locked group an avatar, or removes it. A trigger removes the one before. Index: the primary key of the
 * table.
 * @returns false if there is no such user or group
 */
async function setAvatar(
  database: Database,
  table: "users" | "chats",
  { ownerId, avatar }: { ownerId: number; avatar: NewAvatar | undefined },
  transaction?: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    `WITH owner AS (
            UPDATE ${table} SET avatar_id = $id WHERE id = $ownerId AND deleted_at IS NULL RETURNING id
          ), stored AS (
            INSERT INTO avatars (id, picture) SELECT $id, decode($picture, 'base64') FROM owner WHERE $id::text IS NOT NULL
          )
     SELECT id FROM owner`,
    { ownerId, id: avatar?.id ?? null, picture: avatar?.picture.toString("base64") ?? null },
    transaction,
  );
  return rows.length > 0;
}

export const setUserAvatar = (database: Database, userId: number, avatar: NewAvatar | undefined): Promise<boolean> =>
  setAvatar(database, "users", { ownerId: userId, avatar });

/** The group is locked. */
export const setGroupAvatar = (
  database: Database,
  { groupId, avatar }: { groupId: number; avatar: NewAvatar | undefined },
  transaction: Transaction,
): Promise<boolean> => setAvatar(database, "chats", { ownerId: groupId, avatar }, transaction);

/** Whether a locked group has an avatar. */
export async function hasGroupAvatar(database: Database, groupId: number, transaction: Transaction): Promise<boolean> {
  const sql = "SELECT FROM chats WHERE id = $groupId AND avatar_id IS NOT NULL";
  return (await select(database, sql, { groupId }, transaction)).length > 0;
}

/** Index: the primary key of avatars. */
export async function readAvatar(database: Database, id: string): Promise<Buffer | undefined> {
  const rows = await select<{ picture: Buffer }>(database, "SELECT picture FROM avatars WHERE id = $id", { id });
  return rows[0]?.picture;
}

/** What is read from the database of something that may have an avatar. */
export type AvatarRow<Item> = Omit<Item, "avatarId"> & { avatarId: string | null };

/** A row with the id of an avatar, without the key if there is none. */
export const withAvatar = <Row extends { avatarId: string | null }>({ avatarId, ...row }: Row) => ({
  ...row,
  ...(avatarId !== null && { avatarId }),
});
