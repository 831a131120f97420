import {
  adminCursor,
  adminSearch,
  exampleManagedGroup,
  managedGroup,
  nextAdminCursor,
  printed,
} from "../../contract/administration.ts";
import { groupId, limit, userId } from "../../contract/fields.ts";
import { closedObject, described, list, object, optional } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";
import { actorOf, defaultLimit, tag } from "./admin.ts";

export const listGroups = defineRoute({
  method: "get",
  url: "/admin/groups",
  summary: "List groups, the oldest first, in pages. What is written in them cannot be read.",
  tag,
  requiresAdmin: true,
  query: closedObject({
    search: optional(adminSearch("Any part of the name, case-insensitive.")),
    limit: optional(limit()),
    cursor: optional(adminCursor()),
  }),
  status: 200,
  answer: object({ data: list(managedGroup), nextCursor: nextAdminCursor() }),
  errors: [],
  example: { query: { search: "lunch", limit: 20 }, answer: { data: [exampleManagedGroup], nextCursor: null } },
  async handle({ query: { limit = defaultLimit, ...filter }, services }) {
    const { data, nextCursor } = await services.administration.groups.list({ ...filter, limit });
    return { data: data.map(printed), nextCursor };
  },
});

export const deleteGroup = defineRoute({
  method: "delete",
  url: "/admin/groups/{id}",
  summary: "Delete a group with its history. Its members are notified.",
  tag,
  requiresAdmin: true,
  path: closedObject({ id: groupId() }),
  status: 204,
  errors: ["NOT_FOUND"],
  example: { path: { id: 3 } },
  handle: ({ path, identity, device, services }) =>
    services.administration.groups.delete(actorOf({ identity, device }), path.id),
});

export const setGroupOwner = defineRoute({
  method: "put",
  url: "/admin/groups/{id}/owner",
  summary: "Make a member of a group its owner. The previous owner becomes an admin of the group.",
  tag,
  requiresAdmin: true,
  path: closedObject({ id: groupId() }),
  body: closedObject({ userId: described(userId(), "Id of a member of the group.") }),
  status: 204,
  errors: ["NOT_FOUND"],
  example: { path: { id: 3 }, body: { userId: 2 } },
  handle: ({ path, body, identity, device, services }) =>
    services.administration.groups.setOwner(actorOf({ identity, device }), { groupId: path.id, userId: body.userId }),
});

export const adminGroupRoutes = [listGroups, deleteGroup, setGroupOwner];
