import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { insertInvite, storeMailedToken, revokeInvite as storeRevocation } from "../../db/queries/accounts/invites.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import type { AuditOrigin } from "../../domain/administration.ts";
import type { Invite } from "../../domain/invite.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { emailKey } from "../../models/keys.ts";
import type { Mails } from "../mail/mails.ts";
import type { MakePageLink } from "../page-links.ts";
import { hashOf, newToken } from "./random-tokens.ts";
import type { RegistrationRules } from "./registration-rules.ts";

const hourMs = 3_600_000;
const defaultHours = 7 * 24;

/** What an invite is for. Everything has a default: one account of anybody, within a week. */
export interface InviteInput {
  email?: string | undefined;
  groupIds?: readonly number[] | undefined;
  maxUses?: number | undefined;
  expiresInHours?: number | undefined;
}

/** An invite with its token, which is given out once: only its hash is stored. */
export interface IssuedInvite extends Invite {
  token: string;
  /** The link for the person who is invited. */
  url: string;
}

/**
 * Creates an invite and records it in the audit log. One for an e-mail address is also mailed to it, if the server sends
 * mail. Whether the inviter may is up to the caller.
 * @throws AppError of kind "registrationClosed" for an e-mail address that no account may have
 */
export async function issueInvite(
  parts: { database: Database; rules: RegistrationRules; mails: Mails; makeLink: MakePageLink; serverName: string },
  origin: AuditOrigin,
  { email, groupIds = [], maxUses = 1, expiresInHours = defaultHours }: InviteInput,
): Promise<IssuedInvite> {
  const { database, rules, mails, makeLink, serverName } = parts;
  if (email !== undefined) rules.requireAllowedDomain(email);
  const token = newToken();
  const invite = await database.transaction(async (transaction) => {
    const columns = {
      tokenHash: hashOf(token),
      createdBy: origin.actorId,
      email: email ?? null,
      emailKey: email === undefined ? null : emailKey(email),
      groupIds: [...new Set(groupIds)],
      maxUses,
      lifetimeMs: expiresInHours * hourMs,
    };
    const stored = await insertInvite(database, columns, transaction);
    await recordInvite(database, origin, { action: "invite.create", invite: stored }, transaction);
    if (email !== undefined && mails.isAvailable) {
      const inviter = origin.actorId === null ? null : await User.findByPk(origin.actorId, { transaction });
      const inviterName = [inviter?.firstName, inviter?.lastName].filter(Boolean).join(" ") || serverName;
      await mails.queueInviteMail({ address: email, inviterName, inviteId: stored.id }, transaction);
    }
    return stored;
  });
  return { ...invite, token, url: makeLink("invite", token) };
}

/** Makes the token of an invite that is being mailed. @returns undefined if the invite cannot be used any more */
export async function issueMailedToken(
  database: Database,
  inviteId: number,
  transaction: Transaction,
): Promise<string | undefined> {
  const token = newToken();
  const isUsable = await storeMailedToken(database, { id: inviteId, tokenHash: hashOf(token) }, transaction);
  return isUsable ? token : undefined;
}

/**
 * Revokes an invite and records that in the audit log. Repeating it changes nothing.
 * @param invite.createdBy only an invite of this account; undefined for any
 * @throws AppError of kind "notFound"
 */
export async function revokeInvite(
  database: Database,
  origin: AuditOrigin,
  invite: { id: number; createdBy: number | undefined },
): Promise<void> {
  await database.transaction(async (transaction) => {
    const isNew = await storeRevocation(database, invite, transaction);
    if (isNew === undefined) throw noSuchInvite();
    if (isNew) await recordInvite(database, origin, { action: "invite.revoke", invite }, transaction);
  });
}

const recordInvite = (
  database: Database,
  origin: AuditOrigin,
  { action, invite }: { action: "invite.create" | "invite.revoke"; invite: { id: number; groupIds?: number[] } },
  transaction: Transaction,
): Promise<void> => {
  const details = invite.groupIds && { groupIds: invite.groupIds };
  return recordAction(
    database,
    origin,
    { action, target: { type: "invite", id: invite.id }, ...(details && { details }) },
    transaction,
  );
};

/** For an invite that does not exist, cannot be used, or is not the caller's. */
export const noSuchInvite = () => new AppError("notFound", "There is no such invite");
