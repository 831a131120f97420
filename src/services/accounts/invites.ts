import type { Database } from "../../db/connect.ts";
import {
  describeInvite,
  groupsAmong,
  isInviteValid,
  listInvites,
  takeInvite,
} from "../../db/queries/accounts/invites.ts";
import { isAdmin } from "../../db/queries/administration/admins.ts";
import type { Invite } from "../../domain/invite.ts";
import { notMember } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { emailKeys } from "../../models/keys.ts";
import type { ChatTransaction } from "../../writes/chat-transaction.ts";
import { joinByInvite } from "../groups/join-by-invite.ts";
import type { Mails } from "../mail/mails.ts";
import type { MakePageLink } from "../page-links.ts";
import { type InviteInput, type IssuedInvite, issueInvite, noSuchInvite, revokeInvite } from "./issue-invite.ts";
import { hashOf } from "./random-tokens.ts";
import type { RegistrationRules } from "./registration-rules.ts";

/** A user who manages invites, and the address of the request. */
interface Inviter {
  userId: number;
  address: string;
}

/** Invites to create an account: by administrators, and by all users if they may. */
export class Invites {
  constructor(
    private readonly options: {
      database: Database;
      rules: RegistrationRules;
      mails: Mails;
      makeLink: MakePageLink;
      maxGroupMembers: number;
      serverName: string;
    },
  ) {}

  /**
   * @throws AppError of kind "forbidden" for users who may not invite, of kind "notMember" for a group that the inviter is
   *   not a member of
   */
  async create({ userId, address }: Inviter, input: InviteInput): Promise<IssuedInvite> {
    const { database, rules } = this.options;
    if (!rules.membersMayInvite && !(await isAdmin(database, userId))) {
      throw new AppError("forbidden", "Only administrators may invite people");
    }
    const groupIds = new Set(input.groupIds);
    const own = groupIds.size === 0 ? [] : await groupsAmong(database, { userId, groupIds: [...groupIds] });
    if (own.length < groupIds.size) throw notMember();
    return issueInvite(this.options, { source: "http", actorId: userId, address }, input);
  }

  /** A page of the invites that a user has made, the newest first; for administrators, of all. */
  async list(
    userId: number,
    { limit, cursor }: { limit: number; cursor?: string | undefined },
  ): Promise<{ data: Invite[]; nextCursor: string | null }> {
    const { database } = this.options;
    const createdBy = await this.visibleCreator(userId);
    const before = cursor === undefined ? undefined : Number(cursor);
    const rows = await listInvites(database, { createdBy, before, limit: limit + 1 });
    const data = rows.slice(0, limit);
    const last = data.at(-1);
    return { data, nextCursor: rows.length > limit && last ? String(last.id) : null };
  }

  /** Revokes an invite of a user; administrators may revoke all. @throws AppError of kind "notFound" */
  async revoke({ userId, address }: Inviter, id: number): Promise<void> {
    const createdBy = await this.visibleCreator(userId);
    await revokeInvite(this.options.database, { source: "http", actorId: userId, address }, { id, createdBy });
  }

  /**
   * What somebody with the link may know.
   * @throws AppError of kind "notFound" if nobody can register with it
   */
  async describe(token: string): Promise<{ invitedBy: string; groupNames: string[]; email?: string }> {
    const { database, maxGroupMembers, serverName } = this.options;
    const invite = await describeInvite(database, { tokenHash: hashOf(token), maxGroupMembers });
    if (!invite) throw noSuchInvite();
    const { firstName, lastName, email, groupNames } = invite;
    const name = [firstName, lastName].filter((part) => part !== null).join(" ");
    return { invitedBy: name || serverName, groupNames, ...(email !== null && { email }) };
  }

  /** Rejects an invite that cannot be used, before a password is hashed. @throws AppError of kind "inviteInvalid" */
  async check({ token, email }: { token: string; email: string }): Promise<void> {
    const invite = { tokenHash: hashOf(token), emailKeys: emailKeys(email) };
    if (!(await isInviteValid(this.options.database, invite))) throw inviteInvalid();
  }

  /**
   * Counts a use of an invite, in the transaction of the registration: one that fails costs no use.
   * @returns whether the invite was mailed to the address, and a function that adds the new account to the groups
   * @throws AppError of kind "inviteInvalid"
   */
  async use(
    tx: ChatTransaction,
    { token, email }: { token: string; email: string },
  ): Promise<{ confirmsEmail: boolean; joinGroups: (userId: number) => Promise<void> }> {
    const { database, maxGroupMembers: maxMembers } = this.options;
    const invite = { tokenHash: hashOf(token), emailKeys: emailKeys(email) };
    const used = await takeInvite(database, invite, tx.transaction);
    if (!used) throw inviteInvalid();
    const { createdBy: inviterId, groupIds, wasMailed: confirmsEmail } = used;
    const joinGroups = async (userId: number) => {
      if (inviterId !== null) await joinByInvite(tx, { userId, inviterId, groupIds, maxMembers });
    };
    return { confirmsEmail, joinGroups };
  }

  /** Whose invites a user sees; undefined for all. */
  private async visibleCreator(userId: number): Promise<number | undefined> {
    return (await isAdmin(this.options.database, userId)) ? undefined : userId;
  }
}

/** One answer for an invite that is unknown, used up, expired, revoked, or for another address: it reveals nothing. */
const inviteInvalid = () =>
  new AppError("inviteInvalid", "This invite is not valid, not valid any more, or for another e-mail address");
