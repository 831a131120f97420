import {
  accountStatus,
  adminCursor,
  adminSearch,
  erase,
  exampleLink,
  exampleManagedUser,
  managedUser,
  nextAdminCursor,
  passwordLink,
  printed,
} from "../../contract/administration.ts";
import { emailAddress, firstName, lastName, limit, userId } from "../../contract/fields.ts";
import { role } from "../../contract/people.ts";
import { closedObject, flag, list, nullable, object, optional, someOf } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";
import { actorOf, defaultLimit, tag } from "./admin.ts";

export const listUsers = defineRoute({
  method: "get",
  url: "/admin/users",
  summary: "List accounts, the oldest first, in pages.",
  tag,
  requiresAdmin: true,
  query: closedObject({
    search: optional(adminSearch("Any part of the e-mail address or of the names, case-insensitive.")),
    role: optional(role),
    status: optional(accountStatus),
    limit: optional(limit()),
    cursor: optional(adminCursor()),
  }),
  status: 200,
  answer: object({ data: list(managedUser), nextCursor: nextAdminCursor() }),
  errors: [],
  example: {
    query: { search: "patrick", status: "active", limit: 20 },
    answer: { data: [exampleManagedUser], nextCursor: null },
  },
  async handle({ query: { limit = defaultLimit, ...filter }, services }) {
    const { data, nextCursor } = await services.administration.users.list({ ...filter, limit });
    return { data: data.map(printed), nextCursor };
  },
});

export const createUser = defineRoute({
  method: "post",
  url: "/admin/users",
  summary: "Create an account. Its owner chooses the password with the link of the answer.",
  tag,
  requiresAdmin: true,
  checksPassword: true,
  body: closedObject({
    email: emailAddress(),
    firstName: firstName(),
    lastName: optional(lastName()),
    role: optional(role),
  }),
  status: 201,
  answer: object({ user: managedUser, ...passwordLink }),
  errors: ["EMAIL_TAKEN"],
  example: {
    body: { email: "alan@example.org", firstName: "Alan", lastName: "Turing" },
    answer: {
      user: {
        ...exampleManagedUser,
        email: "alan@example.org",
        firstName: "Alan",
        lastName: "Turing",
        lastSeenAt: null,
        sessions: 0,
        messages: 0,
      },
      ...exampleLink,
    },
  },
  async handle({ body, identity, device, services }) {
    const owner = { address: device.address, account: identity.userId };
    const { user, ...link } = await services.administration.users.create(actorOf({ identity, device }), body, owner);
    return { user: printed(user), ...printed(link) };
  },
});

export const updateUser = defineRoute({
  method: "patch",
  url: "/admin/users/{id}",
  summary:
    "Change an account. Suspending it ends its sessions and closes its sockets (4401); nobody can log in until it is resumed.",
  tag,
  requiresAdmin: true,
  path: closedObject({ id: userId() }),
  body: someOf({
    role: optional(role),
    suspended: optional(flag()),
    firstName: optional(firstName()),
    lastName: optional(nullable(lastName())),
    email: optional(emailAddress()),
  }),
  status: 200,
  answer: managedUser,
  errors: ["NOT_FOUND", "EMAIL_TAKEN", "LAST_ADMIN"],
  example: {
    path: { id: 2 },
    body: { suspended: true },
    answer: { ...exampleManagedUser, suspendedAt: "2023-07-28T15:02:11.120Z", sessions: 0 },
  },
  async handle({ path, body, identity, device, services }) {
    return printed(await services.administration.users.update(actorOf({ identity, device }), path.id, body));
  },
});

export const resetUserPassword = defineRoute({
  method: "post",
  url: "/admin/users/{id}/reset-password",
  summary:
    "Make a link with which the user chooses a new password, and end all their sessions. Anybody with the link can use the account.",
  tag,
  requiresAdmin: true,
  path: closedObject({ id: userId() }),
  status: 200,
  answer: object(passwordLink),
  errors: ["NOT_FOUND"],
  example: { path: { id: 2 }, answer: exampleLink },
  async handle({ path, identity, device, services }) {
    return printed(await services.administration.users.resetPassword(actorOf({ identity, device }), path.id));
  },
});

export const deleteUser = defineRoute({
  method: "delete",
  url: "/admin/users/{id}",
  summary:
    'Delete an account permanently. Its messages stay, with the sender "Deleted user", unless `erase` is `true`: then all of them are deleted in the background, and the answer is 202.',
  tag,
  requiresAdmin: true,
  path: closedObject({ id: userId() }),
  query: closedObject({ erase: optional(erase) }),
  status: 204,
  accepts: { status: 202, applies: ({ erase }) => erase === "true" },
  errors: ["NOT_FOUND", "LAST_ADMIN"],
  example: { path: { id: 2 }, query: { erase: "false" } },
  async handle({ path, query, identity, device, services }) {
    const options = { erase: query.erase === "true" };
    await services.administration.users.delete(actorOf({ identity, device }), path.id, options);
  },
});

export const adminUserRoutes = [listUsers, createUser, updateUser, resetUserPassword, deleteUser];
