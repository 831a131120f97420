import type { Invite } from "../domain/invite.ts";
import { emailAddress, groupId, groupName, id, time, userId } from "./fields.ts";
import { described, integer, list, named, nullable, object, optional, text } from "./schema.ts";

/** The token of an invite, as links have it after `#`. */
export const inviteToken = () => text({ max: 256 });

export const inviteId = () => described(id(), "Id of an invite.");

/** Groups that an account joins in the transaction of its registration. */
const maxGroups = 20;

export const invitedGroups = () => list(groupId(), { max: maxGroups });
export const invitedEmail = () => described(emailAddress(), "The only address that can register with the invite.");
export const maxUses = () =>
  described(integer({ min: 1, max: 10_000 }), "How many accounts can be created with the invite; 1 by default.");
export const expiresInHours = () =>
  described(integer({ min: 1, max: 8760 }), "Hours until the invite expires; 168, a week, by default.");

/** The fields of an invite in answers. */
export const inviteFields = {
  id: inviteId(),
  createdBy: described(nullable(userId()), "The user who made it; `null` for one made on the command line."),
  email: described(nullable(emailAddress()), "The only address that can register with it; `null` for any."),
  groupIds: described(list(groupId()), "The groups that the new account joins."),
  maxUses: integer({ min: 1, max: 10_000 }),
  uses: described(integer({ min: 0, max: 10_000 }), "How many accounts were created with it."),
  expiresAt: time(),
  revokedAt: nullable(time()),
};

/** An invite as the person sees it who has its link. */
export const inviteDescription = named(
  "InviteDescription",
  object({
    invitedBy: described(text({ max: 200 }), "The name of the user who invites, or of the server."),
    groupNames: described(list(groupName()), "The groups that the new account joins."),
    email: optional(described(emailAddress(), "The only address that can register with it.")),
  }),
  "An invite as the person sees it who has its link.",
);

export type InviteItem = Omit<Invite, "expiresAt" | "revokedAt"> & { expiresAt: string; revokedAt: string | null };

export const exampleInvite: InviteItem = {
  id: 1,
  createdBy: 1,
  email: null,
  groupIds: [],
  maxUses: 1,
  uses: 0,
  expiresAt: "2023-08-04T13:20:09.896Z",
  revokedAt: null,
};
