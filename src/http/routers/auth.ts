import { emailAddress, firstName, givenPassword, lastName, newPassword } from "../../contract/fields.ts";
import { session } from "../../contract/people.ts";
import { closedObject, optional } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";

const tag = "Log-in";

export const register = defineRoute({
  method: "post",
  url: "/auth/register",
  summary: "Make an account, and log in with it.",
  tag,
  public: true,
  body: closedObject({
    email: emailAddress(),
    password: newPassword(),
    firstName: firstName(),
    lastName: optional(lastName()),
  }),
  status: 201,
  answer: session,
  errors: ["VALIDATION", "EMAIL_TAKEN"],
  example: {
    body: { email: "ada@example.org", password: "a long sentence", firstName: "Ada", lastName: "Lovelace" },
  },
  handle: ({ body, device, services }) => services.accounts.register(body, device),
});

export const login = defineRoute({
  method: "post",
  url: "/auth/login",
  summary: "Log in. An unknown e-mail address and a wrong password are answered alike.",
  tag,
  public: true,
  body: closedObject({ email: emailAddress(), password: givenPassword() }),
  status: 200,
  answer: session,
  errors: ["VALIDATION", "BAD_CREDENTIALS"],
  example: { body: { email: "patrick0@example.org", password: "messenger demo" } },
  handle: ({ body, device, services }) => services.accounts.login(body, device),
});

export const authRoutes = [register, login];
