import { userRoles } from "../domain/administration.ts";
import type { Person, Profile } from "../domain/person.ts";
import { avatarId, emailAddress, firstName, lastName, time, userId } from "./fields.ts";
import { described, type Infer, named, nullable, object, oneOf, optional, type Schema, text } from "./schema.ts";

export const person: Schema<Person> = named(
  "Person",
  object({ id: userId(), firstName: firstName(), lastName: nullable(lastName()), avatarId: optional(avatarId()) }),
  "A user as other users see it.",
);

export const role = named("UserRole", oneOf(...userRoles), "Administrators manage the server, under `/admin`.");

export const profile: Schema<Profile> = named(
  "Profile",
  object({
    id: userId(),
    email: emailAddress(),
    pendingEmail: described(
      nullable(emailAddress()),
      "The address that you still have to confirm: a new one, which then becomes `email`, or that of the account.",
    ),
    role,
    firstName: firstName(),
    lastName: nullable(lastName()),
    avatarId: optional(avatarId()),
    createdAt: time(),
  }),
  "Your own account.",
);

export const session = named(
  "Session",
  object({
    user: profile,
    token: described(text({ max: 4096 }), "JWT for `Authorization: Bearer` and for the WebSocket."),
    expiresAt: described(time(), "When the token expires."),
    refreshToken: described(text({ max: 256 }), "Renews the session; keep it as safe as a password."),
  }),
  "The answer to a registration, a log-in and a refresh.",
);
export type Session = Infer<typeof session>;

/* Examples for the documents. */
export const examplePerson: Person = { id: 2, firstName: "Patrick1", lastName: null };
export const exampleProfile: Profile = {
  id: 1,
  email: "patrick0@example.org",
  pendingEmail: null,
  role: "user",
  firstName: "Patrick0",
  lastName: null,
  createdAt: "2023-07-28T13:20:09.896Z",
};
export const exampleRefreshToken = "1.q2h0bGV0dGVyc19hbmRfZGlnaXRzX3Rha2VuX2F0X3JhbmQ.c2lnbmF0dXJl";
export const exampleSession: Session = {
  user: exampleProfile,
  token: "header.claims.signature",
  expiresAt: "2023-07-29T13:20:09.000Z",
  refreshToken: exampleRefreshToken,
};
