import { emailAddress, firstName, givenPassword, lastName, limit, newPassword, userId } from "../../contract/fields.ts";
import { examplePerson, exampleProfile, person, profile } from "../../contract/people.ts";
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
import { AppError } from "../../errors.ts";
import { defineRoute } from "../route.ts";

const account = "Account";
const users = "Users";

export const readProfile = defineRoute({
  method: "get",
  url: "/users/me",
  summary: "Get your account.",
  tag: account,
  status: 200,
  answer: profile,
  errors: [],
  example: { answer: exampleProfile },
  handle: ({ identity, services }) => services.accounts.profile(identity.userId),
});

export const updateProfile = defineRoute({
  method: "patch",
  url: "/users/me",
  summary:
    "Change your name or e-mail address. A new e-mail address requires your password. With `EMAIL_VERIFICATION=required` it is `pendingEmail` until it is confirmed; the present address withdraws it.",
  tag: account,
  checksPassword: true,
  body: someOf({
    firstName: optional(firstName()),
    lastName: optional(nullable(lastName())),
    email: optional(emailAddress()),
    password: optional(givenPassword()),
  }),
  status: 200,
  answer: profile,
  errors: ["VALIDATION", "REAUTH_REQUIRED", "EMAIL_TAKEN", "REGISTRATION_CLOSED"],
  example: {
    body: { firstName: "Pat", lastName: "Star" },
    answer: { ...exampleProfile, firstName: "Pat", lastName: "Star" },
  },
  handle: ({ identity, body, device, services }) => services.accounts.update(identity.userId, body, device),
});

export const changePassword = defineRoute({
  method: "put",
  url: "/users/me/password",
  summary: "Change your password. All your other sessions end.",
  tag: account,
  checksPassword: true,
  body: closedObject({ oldPassword: givenPassword(), newPassword: newPassword() }),
  status: 204,
  errors: ["VALIDATION", "REAUTH_REQUIRED"],
  example: { body: { oldPassword: "messenger demo", newPassword: "an even longer sentence" } },
  handle: ({ identity, body, device, services }) => services.accounts.changePassword(identity, body, device),
});

export const deleteAccount = defineRoute({
  method: "delete",
  url: "/users/me",
  summary: 'Delete your account permanently. Your messages stay in the chats, with the sender "Deleted user".',
  tag: account,
  checksPassword: true,
  body: closedObject({ password: givenPassword() }),
  status: 204,
  errors: ["VALIDATION", "REAUTH_REQUIRED", "LAST_ADMIN"],
  example: { body: { password: "messenger demo" } },
  handle: ({ identity, body, device, services }) => services.accounts.delete(identity.userId, body, device),
});

/** Contains the last names of a page in their search form, where one character can become up to 18. */
const cursor = () => text({ max: 8192 });

export const listPeople = defineRoute({
  method: "get",
  url: "/users",
  summary:
    "Find users by name, e-mail address or ids, in pages. Without `search` and `ids`, list all users. Users who block you are not found.",
  tag: users,
  query: closedObject({
    search: optional(
      described(
        text({ max: 254 }),
        'The beginning of a first name, a last name or both ("anna k"), case-insensitive, or a complete e-mail address.',
      ),
    ),
    ids: optional(
      described(
        textLike(
          /^[1-9]\d{0,14}(,[1-9]\d{0,14}){0,99}$/,
          "be 1 to 100 ids of users, each of at most 15 digits, separated by commas",
        ),
        "Ids of users, 1 to 100, each of at most 15 digits, separated by commas: those who exist are returned, in this order.",
      ),
    ),
    limit: optional(limit()),
    cursor: optional(described(cursor(), "The `nextCursor` of the previous page.")),
  }),
  status: 200,
  answer: object({
    data: list(person),
    nextCursor: described(nullable(cursor()), "The `cursor` of the next page; `null` on the last page."),
  }),
  errors: ["VALIDATION"],
  example: { query: { search: "pat", limit: 20 }, answer: { data: [examplePerson], nextCursor: null } },
  async handle({ identity, query: { ids, search, limit = 20, cursor }, services }) {
    if (ids === undefined) return services.people.list(identity.userId, { search, limit, cursor });
    if (search !== undefined || cursor !== undefined) {
      throw new AppError("validation", '"ids" goes with neither "search" nor "cursor"', { field: "ids" });
    }
    return { data: await services.people.findAll(identity.userId, ids.split(",").map(Number)), nextCursor: null };
  },
});

export const readPerson = defineRoute({
  method: "get",
  url: "/users/{id}",
  summary: "Get a user.",
  tag: users,
  path: closedObject({ id: userId() }),
  status: 200,
  answer: person,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: { path: { id: 2 }, answer: examplePerson },
  handle: ({ identity, path, services }) => services.people.find(identity.userId, path.id),
});

export const listBlocks = defineRoute({
  method: "get",
  url: "/users/me/blocks",
  summary: "List the users you block, the most recent first.",
  tag: users,
  status: 200,
  answer: object({ data: list(person) }),
  errors: [],
  example: { answer: { data: [examplePerson] } },
  handle: async ({ identity, services }) => ({ data: await services.blocks.list(identity.userId) }),
});

export const block = defineRoute({
  method: "put",
  url: "/users/me/blocks/{userId}",
  summary:
    "Block a user. For the blocked user your account appears not to exist. Succeeds for every id, so that the answer does not tell whether that user blocks you.",
  tag: users,
  path: closedObject({ userId: userId() }),
  status: 204,
  errors: ["VALIDATION"],
  example: { path: { userId: 2 } },
  handle: ({ identity, path, services }) => services.blocks.block(identity.userId, path.userId),
});

export const unblock = defineRoute({
  method: "delete",
  url: "/users/me/blocks/{userId}",
  summary: "Unblock a user.",
  tag: users,
  path: closedObject({ userId: userId() }),
  status: 204,
  errors: ["VALIDATION"],
  example: { path: { userId: 2 } },
  handle: ({ identity, path, services }) => services.blocks.unblock(identity.userId, path.userId),
});

/** `/users/me` comes before `/users/{id}`, which would match "me" as an id. */
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
