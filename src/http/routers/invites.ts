import { limit } from "../../contract/fields.ts";
import {
  exampleInvite,
  expiresInHours,
  type InviteItem,
  inviteDescription,
  invitedEmail,
  invitedGroups,
  inviteFields,
  inviteId,
  inviteToken,
  maxUses,
} from "../../contract/invites.ts";
import {
  closedObject,
  described,
  list,
  named,
  nullable,
  object,
  optional,
  text,
  textLike,
} from "../../contract/schema.ts";
import type { Invite } from "../../domain/invite.ts";
import { defineRoute } from "../route.ts";

const tag = "Invites";

const invite = named("Invite", object(inviteFields), "An invite to create an account.");

const toItem = ({ expiresAt, revokedAt, ...invite }: Invite): InviteItem => ({
  ...invite,
  expiresAt: expiresAt.toISOString(),
  revokedAt: revokedAt?.toISOString() ?? null,
});

export const createInvite = defineRoute({
  method: "post",
  url: "/invites",
  summary:
    "Invite somebody. The token and the link are returned only once. For administrators, or all users (`invitesBy`).",
  tag,
  body: closedObject({
    email: optional(invitedEmail()),
    groupIds: optional(
      described(invitedGroups(), "Groups that the new account joins; you must be a member of each. At most 20."),
    ),
    maxUses: optional(maxUses()),
    expiresInHours: optional(expiresInHours()),
  }),
  status: 201,
  answer: object({
    ...inviteFields,
    token: described(inviteToken(), "For `invite` of `POST /auth/register`."),
    url: described(text({ max: 2048 }), "The link for the person who is invited; the path alone without `PUBLIC_URL`."),
  }),
  errors: ["VALIDATION", "FORBIDDEN", "NOT_MEMBER", "REGISTRATION_CLOSED"],
  example: {
    body: { maxUses: 5, expiresInHours: 48 },
    answer: {
      ...exampleInvite,
      maxUses: 5,
      token: "q0mD3vR8m1Yk5Zr2n7sXw9aBcDeFgHiJkLmNoPqRsTu",
      url: "https://chat.example.org/invite#q0mD3vR8m1Yk5Zr2n7sXw9aBcDeFgHiJkLmNoPqRsTu",
    },
  },
  async handle({ identity: { userId }, device: { address }, body, services }) {
    const { token, url, ...created } = await services.invites.create({ userId, address }, body);
    return { ...toItem(created), token, url };
  },
});

const cursor = () => textLike(/^[1-9]\d{0,14}$/, "be the `nextCursor` of a page");

export const listInvites = defineRoute({
  method: "get",
  url: "/invites",
  summary: "List the invites that you have made, the newest first, in pages; administrators see all.",
  tag,
  query: closedObject({
    limit: optional(limit()),
    cursor: optional(described(cursor(), "The `nextCursor` of the previous page.")),
  }),
  status: 200,
  answer: object({
    data: list(invite),
    nextCursor: described(nullable(cursor()), "The `cursor` of the next page; `null` on the last page."),
  }),
  errors: ["VALIDATION"],
  example: { query: { limit: 20 }, answer: { data: [exampleInvite], nextCursor: null } },
  async handle({ identity, query: { limit = 20, cursor }, services }) {
    const { data, nextCursor } = await services.invites.list(identity.userId, { limit, cursor });
    return { data: data.map(toItem), nextCursor };
  },
});

export const revokeInvite = defineRoute({
  method: "delete",
  url: "/invites/{invite}",
  summary: "Revoke an invite by its id: one of yours, or any if you are an administrator.",
  tag,
  path: closedObject({ invite: inviteId() }),
  status: 204,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: { path: { invite: 1 } },
  handle: ({ identity: { userId }, device: { address }, path, services }) =>
    services.invites.revoke({ userId, address }, path.invite),
});

/** Shares its path with the route above, so that logs show one template for ids and tokens. */
export const readInvite = defineRoute({
  method: "get",
  url: "/invites/{invite}",
  summary: "Read an invite by its token, to show who invites whom. One that nobody can use is not found.",
  tag,
  public: true,
  limit: "reconnectsPerAddress",
  path: closedObject({ invite: described(inviteToken(), "The token of the invite.") }),
  status: 200,
  answer: inviteDescription,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: {
    path: { invite: "q0mD3vR8m1Yk5Zr2n7sXw9aBcDeFgHiJkLmNoPqRsTu" },
    answer: { invitedBy: "Patrick0", groupNames: ["new name"] },
  },
  handle: ({ path, services }) => services.invites.describe(path.invite),
});

export const inviteRoutes = [createInvite, listInvites, readInvite, revokeInvite];
