import { emailAddress, firstName, givenPassword, lastName, limit, newPassword, userId } from "../../contract/fields.ts";
import { person, profile } from "../../contract/people.ts";
import {
  closedObject,
  described,
  list,
  nullable,
  object,
  optional,
  someOf,
  text,
  textLike,
} from "../../contract/schema.ts";
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

export const listPeople = defineRoute({
  method: "get",
  url: "/users",
  summary: "List people, page by page.",
  tag: people,
  query: closedObject({
    limit: optional(limit()),
    cursor: optional(
      described(textLike(/^[0-9]{1,15}$/, "be the nextCursor of an answer"), "The `nextCursor` of the page before."),
    ),
  }),
  status: 200,
  answer: object({
    data: list(person),
    nextCursor: described(nullable(text({ max: 64 })), "Asks for the next page; `null` on the last one."),
  }),
  errors: ["VALIDATION"],
  example: { query: { limit: 20 } },
  handle: ({ query, services }) =>
    services.people.list({ limit: query.limit ?? 20, after: query.cursor === undefined ? 0 : Number(query.cursor) }),
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

/** `/users/me` stands before `/users/{id}`, which would take "me" for an id. */
export const userRoutes = [readProfile, updateProfile, changePassword, deleteAccount, listPeople, readPerson];
