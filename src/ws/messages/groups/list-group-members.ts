import {
  avatarId,
  firstName,
  groupId,
  lastName,
  limit,
  nothing,
  page,
  time,
  userId,
} from "../../../contract/fields.ts";
import { memberRole } from "../../../contract/messages.ts";
import { list, named, nullable, object, optional } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const listGroupMembers = defineMessage({
  type: "listGroupMembers",
  summary:
    "List the members of a group you are a member of: the owner, then the admins, then the other members, each sorted by time of joining.",
  params: object({ groupId: groupId(), limit: limit(), page: page() }),
  data: list(
    named(
      "GroupMember",
      object({
        userId: userId(),
        firstName: firstName(),
        lastName: nullable(lastName()),
        avatarId: optional(avatarId()),
        role: memberRole,
        joinedAt: time(),
      }),
      "A member of a group.",
    ),
  ),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_MEMBER"],
  example: {
    params: { groupId: 1, limit: 5, page: 1 },
    data: [{ userId: 1, firstName: "Patrick0", lastName: null, role: "owner", joinedAt: "2023-07-18T17:16:10.612Z" }],
    item: null,
    prepare: ({ groupId }) => ({ groupId, limit: 5, page: 1 }),
  },
  async handle({ user, services }, params) {
    const members = await services.groups.members(user.userId, params);
    return { data: members.map((member) => ({ ...member, joinedAt: member.joinedAt.toISOString() })), item: null };
  },
});
