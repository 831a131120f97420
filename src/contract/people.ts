import { emailAddress, firstName, lastName, time, userId } from "./fields.ts";
import { described, type Infer, named, nullable, object, text } from "./schema.ts";

/** A user as other users see it. */
export const person = named("Person", object({ id: userId(), firstName: firstName(), lastName: nullable(lastName()) }));
export type Person = Infer<typeof person>;

/** A user's own account. */
export const profile = named(
  "Profile",
  object({
    id: userId(),
    email: emailAddress(),
    firstName: firstName(),
    lastName: nullable(lastName()),
    createdAt: time(),
  }),
);
export type Profile = Infer<typeof profile>;

/** The answer to a registration, a log-in and a refresh. */
export const session = named(
  "Session",
  object({
    user: profile,
    token: described(text({ max: 4096 }), "JWT for `Authorization: Bearer` and for the WebSocket."),
    expiresAt: described(time(), "When the token expires."),
    refreshToken: described(text({ max: 256 }), "Renews the session; keep it as safe as a password."),
  }),
);
export type Session = Infer<typeof session>;
