import { emailAddress, firstName, givenPassword, lastName, limit, newPassword, userId } from "../../contract/fields.ts";
import { person, profile } from "../../contract/people.ts";
import { closedObject, described, list, nullable, object, optional, someOf, text } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";

const account = "Your account";
const people = "People";

export const readProfile = defineRoute({
  method: "get",
  url: "/users/me",
  summary: "Read your account.",
  tag: account,
  status: 200,
  answer: profile,
  errors: [],
  example: {},
  handle: ({ identity, services }) => services.accounts.profile(identity.userId),
});

export const updateProfile = defineRoute({
  method: "patch",
  url: "/users/me",
  summary: "Change your names or your e-mail address; a new address needs your password.",
  tag: account,
  body: someOf({
    firstName: optional(firstName()),
    lastName: optional(nullable(lastName())),
    email: optional(emailAddress()),
    password: optional(givenPassword()),
  }),
  status: 200,
  answer: profile,
  errors: ["VALIDATION", "REAUTH_REQUIRED", "EMAIL_TAKEN"],
  example: { body: { firstName: "Pat", lastName: "Star" } },
  handle: ({ identity, body, services }) => services.accounts.update(identity.userId, body),
});

export const changePassword = defineRoute({
  method: "put",
  url: "/users/me/password",
  summary: "Change your password; every other session of yours ends.",
  tag: account,
  body: closedObject({ oldPassword: givenPassword(), newPassword: newPassword() }),
  status: 204,
  errors: ["VALIDATION", "REAUTH_REQUIRED"],
  example: { body: { oldPassword: "messenger demo", newPassword: "an even longer sentence" } },
  handle: ({ identity, body, services }) => services.accounts.changePassword(identity, body),
});

export const deleteAccount = defineRoute({
  method: "delete",
  url: "/users/me",
  summary: 'Delete your account for good. What you wrote stays with those you wrote to, under "Deleted user".',
  tag: account,
  body: closedObject({ password: givenPassword() }),
  status: 204,
  errors: ["VALIDATION", "REAUTH_REQUIRED"],
  example: { body: { password: "messenger demo" } },
  handle: ({ identity, body, services }) => services.accounts.delete(identity.userId, body),
});

/** Holds the names at which a page ends, in the form in which they are searched: of one character up to 18. */
const cursor = () => text({ max: 8192 });

export const listPeople = defineRoute({
  method: "get",
  url: "/users",
  summary: "Find people, page by page; without `search`, list everyone.",
  tag: people,
  query: closedObject({
    search: optional(
      described(
        text({ max: 254 }),
        'The beginning of a first or a last name, or of both ("anna k"), in any letter case; or a whole e-mail address.',
      ),
    ),
    limit: optional(limit()),
    cursor: optional(described(cursor(), "The `nextCursor` of the page before.")),
  }),
  status: 200,
  answer: object({
    data: list(person),
    nextCursor: described(nullable(cursor()), "Asks for the next page; `null` on the last one."),
  }),
  errors: ["VALIDATION"],
  example: { query: { search: "pat", limit: 20 } },
  handle: ({ query, services }) =>
    services.people.list({ search: query.search, limit: query.limit ?? 20, cursor: query.cursor }),
});

export const readPerson = defineRoute({
  method: "get",
  url: "/users/{id}",
  summary: "Read one person's names.",
  tag: people,
  path: closedObject({ id: userId() }),
  status: 200,
  answer: person,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: { path: { id: 2 } },
  handle: ({ path, services }) => services.people.find(path.id),
});

export const listBlocks = defineRoute({
  method: "get",
  url: "/users/me/blocks",
  summary: "List whom you block, the latest first.",
  tag: people,
  status: 200,
  answer: object({ data: list(person) }),
  errors: [],
  example: {},
  handle: async ({ identity, services }) => ({ data: await services.blocks.list(identity.userId) }),
});

export const block = defineRoute({
  method: "put",
  url: "/users/me/blocks/{userId}",
  summary: "Block someone: to this person you are from now on like a user that does not exist.",
  tag: people,
  path: closedObject({ userId: userId() }),
  status: 204,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: { path: { userId: 2 } },
  handle: ({ identity, path, services }) => services.blocks.block(identity.userId, path.userId),
});

export const unblock = defineRoute({
  method: "delete",
  url: "/users/me/blocks/{userId}",
  summary: "Lift a block.",
  tag: people,
  path: closedObject({ userId: userId() }),
  status: 204,
  errors: ["VALIDATION"],
  example: { path: { userId: 2 } },
  handle: ({ identity, path, services }) => services.blocks.unblock(identity.userId, path.userId),
});

/** `/users/me` stands before `/users/{id}`, which would take "me" for an id. */
export const userRoutes = [
  readProfile,
  updateProfile,
  changePassword,
  deleteAccount,
  listBlocks,
  block,
  unblock,
  listPeople,
  readPerson,
];
