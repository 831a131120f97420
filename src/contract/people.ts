import type { Person, Profile } from "../domain/person.ts";
import { emailAddress, firstName, lastName, time, userId } from "./fields.ts";
import { described, type Infer, nullable, object, type Schema, text } from "./schema.ts";

/** What anyone who is logged in may know of a person. */
export const person: Schema<Person> = object({ id: userId(), firstName: firstName(), lastName: nullable(lastName()) });

/** What a person sees of the own account. */
export const profile: Schema<Profile> = object({
  id: userId(),
  email: emailAddress(),
  firstName: firstName(),
  lastName: nullable(lastName()),
  createdAt: time(),
});

/** The answer to a registration and a log-in. */
export const session = object({
  user: profile,
  token: described(text({ max: 4096 }), "JWT for `Authorization: Bearer` and for the WebSocket."),
  expiresAt: described(time(), "When the token ends."),
  refreshToken: described(text({ max: 256 }), "Renews the session; keep it as safe as a password."),
});
export type Session = Infer<typeof session>;
