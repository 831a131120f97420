import { emailAddress, firstName, givenPassword, id, lastName, newPassword, time } from "../../contract/fields.ts";
import { inviteToken } from "../../contract/invites.ts";
import { exampleProfile, exampleRefreshToken, exampleSession, session } from "../../contract/people.ts";
import { closedObject, described, flag, list, named, nullable, object, optional, text } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";

const tag = "Authentication";

const exampleLinkToken = "q2h0bGV0dGVyc19hbmRfZGlnaXRzX3Rha2VuX2F0X3JhbmQ";

const userIdOf = ({ user }: { user: { id: number } }): number => user.id;

export const register = defineRoute({
  method: "post",
  url: "/auth/register",
  summary:
    "Create an account and log in. An invite is needed unless registration is open; it also names groups to join.",
  tag,
  public: true,
  limit: "logInsPerAddress",
  assertCapacity: ({ accounts }, address, queuedAhead) => accounts.assertCapacity(address, queuedAhead),
  body: closedObject({
    email: emailAddress(),
    password: newPassword(),
    firstName: firstName(),
    lastName: optional(lastName()),
    invite: optional(described(inviteToken(), "The token of an invite, from its link.")),
  }),
  status: 201,
  answer: session,
  errors: ["VALIDATION", "EMAIL_TAKEN", "REGISTRATION_CLOSED", "INVITE_INVALID"],
  example: {
    body: { email: "ada@example.org", password: "a long sentence", firstName: "Ada", lastName: "Lovelace" },
    answer: {
      ...exampleSession,
      user: { ...exampleProfile, email: "ada@example.org", firstName: "Ada", lastName: "Lovelace" },
    },
  },
  userIdOf,
  handle: ({ body, device, services }) => services.accounts.register(body, device),
});

export const login = defineRoute({
  method: "post",
  url: "/auth/login",
  summary: "Log in. An unknown e-mail address and a wrong password return the same error.",
  tag,
  public: true,
  assertCapacity: ({ accounts }, address, queuedAhead) => accounts.assertCapacity(address, queuedAhead),
  body: closedObject({ email: emailAddress(), password: givenPassword() }),
  status: 200,
  answer: session,
  errors: ["VALIDATION", "BAD_CREDENTIALS", "SUSPENDED"],
  example: { body: { email: "patrick0@example.org", password: "messenger demo" }, answer: exampleSession },
  userIdOf,
  handle: ({ body, device, services }) => services.accounts.login(body, device),
});

export const refresh = defineRoute({
  method: "post",
  url: "/auth/refresh",
  summary:
    "Exchange a refresh token for a new access token and a new refresh token. Each refresh token works once; if the response is lost, the same request can be repeated for 30 seconds. A refresh token that was replaced earlier ends the session.",
  tag,
  public: true,
  limit: "reconnectsPerAddress",
  body: closedObject({ refreshToken: described(text({ max: 256 }), "The latest refresh token of the session.") }),
  status: 200,
  answer: session,
  errors: ["VALIDATION", "UNAUTHENTICATED"],
  example: { body: { refreshToken: exampleRefreshToken }, answer: exampleSession },
  userIdOf,
  handle: ({ body, device, services }) => services.accounts.refresh(body.refreshToken, device),
});

export const logout = defineRoute({
  method: "post",
  url: "/auth/logout",
  summary: "End this session. Its tokens become invalid and its WebSockets are closed.",
  tag,
  status: 204,
  errors: [],
  example: {},
  handle: ({ identity, services }) => services.sessions.logOut(identity),
});

export const listSessions = defineRoute({
  method: "get",
  url: "/auth/sessions",
  summary: "List your sessions, the most recently used first.",
  tag,
  status: 200,
  answer: object({
    data: list(
      named(
        "ListedSession",
        object({
          id: id(),
          userAgent: described(nullable(text({ max: 256 })), "The User-Agent header of the log-in."),
          createdAt: time(),
          lastUsedAt: described(time(), "Accurate to one minute."),
          current: described(flag(), "Whether this request was made in this session."),
        }),
        "One of your sessions.",
      ),
    ),
  }),
  errors: [],
  example: {
    answer: {
      data: [
        {
          id: 1,
          userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
          createdAt: "2023-07-28T13:20:09.896Z",
          lastUsedAt: "2023-07-28T13:21:40.017Z",
          current: true,
        },
      ],
    },
  },
  handle: async ({ identity, services }) => ({ data: await services.sessions.list(identity) }),
});

export const endSession = defineRoute({
  method: "delete",
  url: "/auth/sessions/{id}",
  summary: "End one of your sessions.",
  tag,
  path: closedObject({ id: id() }),
  status: 204,
  errors: ["VALIDATION", "NOT_FOUND"],
  example: { path: { id: 1 } },
  handle: ({ identity, path, services }) => services.sessions.end(identity.userId, path.id),
});

export const endOtherSessions = defineRoute({
  method: "delete",
  url: "/auth/sessions",
  summary: "End all your sessions except this one.",
  tag,
  status: 204,
  errors: [],
  example: {},
  handle: ({ identity, services }) => services.sessions.endOthers(identity),
});

/** The token of a link. */
const linkToken = () => described(text({ max: 256 }), "What follows `#` in the link.");

export const setUp = defineRoute({
  method: "post",
  url: "/auth/setup",
  summary:
    "Create the first administrator's account and log in, with the token of the link that `messenger setup-link` prints. The link works once, for 30 minutes, and only while there is no administrator.",
  tag,
  public: true,
  limit: "logInsPerAddress",
  assertCapacity: ({ accounts }, address, queuedAhead) => accounts.assertCapacity(address, queuedAhead),
  body: closedObject({
    token: linkToken(),
    email: emailAddress(),
    password: newPassword(),
    firstName: firstName(),
    lastName: optional(lastName()),
  }),
  status: 201,
  answer: session,
  errors: ["VALIDATION", "TOKEN_INVALID", "EMAIL_TAKEN"],
  example: {
    body: {
      token: exampleLinkToken,
      email: "grace@example.org",
      password: "a long sentence",
      firstName: "Grace",
      lastName: "Hopper",
    },
    answer: {
      ...exampleSession,
      user: { ...exampleProfile, email: "grace@example.org", role: "admin", firstName: "Grace", lastName: "Hopper" },
    },
  },
  userIdOf,
  handle: ({ body, device, services }) => services.setup.run(body, device),
});

export const resetPassword = defineRoute({
  method: "post",
  url: "/auth/password/reset",
  summary:
    "Choose a new password with the token of a link. It works once, for 30 minutes. All sessions and all other links of the account end. A suspended account stays suspended.",
  tag,
  public: true,
  limit: "logInsPerAddress",
  assertCapacity: ({ accounts }, address, queuedAhead) => accounts.assertCapacity(address, queuedAhead),
  body: closedObject({ token: linkToken(), newPassword: newPassword() }),
  status: 204,
  errors: ["VALIDATION", "TOKEN_INVALID"],
  example: { body: { token: exampleLinkToken, newPassword: "an even longer sentence" } },
  handle: ({ body, device, services }) => services.passwordReset.run(body, device),
});

export const authRoutes = [
  register,
  login,
  refresh,
  setUp,
  resetPassword,
  logout,
  listSessions,
  endSession,
  endOtherSessions,
];
