import type { Transaction } from "sequelize";
import type { Invite } from "../../../domain/invite.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/* Expiry is set and compared by the clock of the database: the processes may disagree about the time. */

/** The driver reads arrays of bigint as texts. */
const columns = `id, created_by AS "createdBy", email, to_jsonb(group_ids) AS "groupIds", max_uses AS "maxUses", uses,
            expires_at AS "expiresAt", revoked_at AS "revokedAt"`;

/**
 * The SQL condition that an invite can be used: those of accounts that are suspended or deleted cannot.
 * Index: the primary key of users.
 */
const isValid = `invites.revoked_at IS NULL AND invites.expires_at > clock_timestamp() AND invites.uses < invites.max_uses
        AND (invites.created_by IS NULL
             OR EXISTS (SELECT FROM users AS creator
                         WHERE creator.id = invites.created_by
                           AND creator.suspended_at IS NULL AND creator.deleted_at IS NULL))`;

/** The SQL condition that this is one of the tokens of an invite. Indexes: invites_token_hash_unique, invites_mailed_token_hash_unique. */
const hasToken = "(invites.token_hash = $tokenHash OR invites.mailed_token_hash = $tokenHash)";

/** The SQL condition that an invite is for this address. */
const isForAddress = "(invites.email_key IS NULL OR invites.email_key = ANY ($emailKeys::text[]))";

/** Stores an invite. */
export async function insertInvite(
  database: Database,
  invite: {
    tokenHash: Buffer;
    createdBy: number | null;
    email: string | null;
    emailKey: string | null;
    groupIds: readonly number[];
    maxUses: number;
    lifetimeMs: number;
  },
  transaction: Transaction,
): Promise<Invite> {
  const [stored] = await select<Invite>(
    database,
    `INSERT INTO invites (token_hash, created_by, email, email_key, group_ids, max_uses, expires_at)
     VALUES ($tokenHash, $createdBy, $email, $emailKey, $groupIds::bigint[], $maxUses,
             date_trunc('milliseconds', clock_timestamp()) + make_interval(secs => $lifetimeMs / 1000.0))
  RETURNING ${columns}`,
    { ...invite },
    transaction,
  );
  if (!stored) throw new Error("the invite was not stored");
  return stored;
}

/**
 * Returns a page of invites, the newest first: those of one account, or all. Indexes: invites_of_creator, the primary key.
 * @param page.before the id of the last invite of the previous page
 */
export function listInvites(
  database: Database,
  { createdBy, before, limit }: { createdBy: number | undefined; before: number | undefined; limit: number },
): Promise<Invite[]> {
  const conditions = [
    ...(createdBy === undefined ? [] : ["created_by = $createdBy"]),
    ...(before === undefined ? [] : ["id < $before"]),
  ];
  return select<Invite>(
    database,
    `SELECT ${columns}
       FROM invites
      WHERE ${["true", ...conditions].join(" AND ")}
      ORDER BY id DESC
      LIMIT $limit`,
    { limit, ...(createdBy !== undefined && { createdBy }), ...(before !== undefined && { before }) },
  );
}

/** Revokes an invite. @returns whether it had not been revoked before; undefined if there is no such invite */
export async function revokeInvite(
  database: Database,
  { id, createdBy }: { id: number; createdBy: number | undefined },
  transaction: Transaction,
): Promise<boolean | undefined> {
  const [invite] = await select<{ isRevoked: boolean }>(
    database,
    `SELECT revoked_at IS NOT NULL AS "isRevoked" FROM invites
      WHERE id = $id AND ($createdBy::bigint IS NULL OR created_by = $createdBy)
        FOR UPDATE`,
    { id, createdBy: createdBy ?? null },
    transaction,
  );
  if (!invite || invite.isRevoked) return invite && false;
  await select(database, "UPDATE invites SET revoked_at = clock_timestamp() WHERE id = $id", { id }, transaction);
  return true;
}

/** Whether an invite can be used with this address. Takes no lock: it has to be used to be sure. Index: invites_token_hash_unique. */
export async function isInviteValid(
  database: Database,
  invite: { tokenHash: Buffer; emailKeys: readonly string[] },
): Promise<boolean> {
  const rows = await select(database, `SELECT 1 FROM invites WHERE ${hasToken} AND ${isValid} AND ${isForAddress}`, {
    ...invite,
  });
  return rows.length > 0;
}

/** What the registration with an invite needs of it. */
export interface UsedInvite {
  /** Null for an invite of the command line. */
  createdBy: number | null;
  groupIds: number[];
  /** Whether the token was mailed to the address of the invite. */
  wasMailed: boolean;
}

/** Stores the token of a mail, which replaces the one of an earlier mail. @returns whether the invite can be used */
export async function storeMailedToken(
  database: Database,
  invite: { id: number; tokenHash: Buffer },
  transaction: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    `UPDATE invites SET mailed_token_hash = $tokenHash WHERE id = $id AND ${isValid} RETURNING id`,
    { ...invite },
    transaction,
  );
  return rows.length > 0;
}

/**
 * Counts a use of an invite. Concurrent uses wait for each other at the row, and see what those before have counted.
 * Index: invites_token_hash_unique.
 * @returns undefined if it cannot be used
 */
export async function takeInvite(
  database: Database,
  invite: { tokenHash: Buffer; emailKeys: readonly string[] },
  transaction: Transaction,
): Promise<UsedInvite | undefined> {
  const [used] = await select<UsedInvite>(
    database,
    `UPDATE invites SET uses = uses + 1
      WHERE ${hasToken} AND ${isValid} AND ${isForAddress}
  RETURNING created_by AS "createdBy", to_jsonb(group_ids) AS "groupIds",
            mailed_token_hash IS NOT DISTINCT FROM $tokenHash AS "wasMailed"`,
    { ...invite },
    transaction,
  );
  return used;
}

/** An invite as the person sees it who has its link. */
export interface InviteDescription {
  /** Null for an invite of the command line. */
  firstName: string | null;
  lastName: string | null;
  email: string | null;
  /** Of the groups that one would join now. */
  groupNames: string[];
}

/**
 * Describes an invite that can be used. Indexes: invites_token_hash_unique, the primary keys of chats and chat_members,
 * chat_members_of_chat.
 */
export async function describeInvite(
  database: Database,
  invite: { tokenHash: Buffer; maxGroupMembers: number },
): Promise<InviteDescription | undefined> {
  const [description] = await select<InviteDescription>(
    database,
    `SELECT creator.first_name AS "firstName", creator.last_name AS "lastName", invites.email,
            ARRAY(SELECT chat.name
                    FROM chats AS chat
                    JOIN chat_members AS member ON member.chat_id = chat.id AND member.user_id = invites.created_by
                   WHERE chat.id = ANY (invites.group_ids) AND chat.kind = 'group' AND chat.deleted_at IS NULL
                     AND (SELECT count(*) FROM chat_members WHERE chat_id = chat.id) < $maxGroupMembers
                   ORDER BY chat.id) AS "groupNames"
       FROM invites
       LEFT JOIN users AS creator ON creator.id = invites.created_by
      WHERE ${hasToken} AND ${isValid}`,
    { ...invite },
  );
  return description;
}

/** Returns those of these groups that a user is a member of. Indexes: the primary keys of chats and chat_members. */
export async function groupsAmong(
  database: Database,
  { userId, groupIds }: { userId: number; groupIds: readonly number[] },
): Promise<number[]> {
  const rows = await select<{ chatId: number }>(
    database,
    `SELECT member.chat_id AS "chatId"
       FROM chat_members AS member
       JOIN chats AS chat ON chat.id = member.chat_id AND chat.kind = 'group' AND chat.deleted_at IS NULL
      WHERE member.user_id = $userId AND member.chat_id = ANY ($groupIds::bigint[])
      ORDER BY member.chat_id`,
    { userId, groupIds },
  );
  return rows.map(({ chatId }) => chatId);
}

/**
 * Revokes the invites that an account has made or that were for its address, and erases their addresses. Called when the
 * account is deleted. Indexes: invites_of_creator, invites_of_address.
 */
export async function endInvitesOf(
  database: Database,
  account: { userId: number; emailKeys: readonly string[] },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `UPDATE invites SET revoked_at = coalesce(revoked_at, clock_timestamp()), email = NULL, email_key = NULL
      WHERE created_by = $userId OR email_key = ANY ($emailKeys::text[])`,
    { ...account },
    transaction,
  );
}
