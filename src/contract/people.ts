import { emailAddress, firstName, lastName, time, userId } from "./fields.ts";
import { described, type Infer, nullable, object, text } from "./schema.ts";

/** What anyone who is logged in may know of a person. */
export const person = object({ id: userId(), firstName: firstName(), lastName: nullable(lastName()) });
export type Person = Infer<typeof person>;

/** What a person sees of the own account. */
export const profile = object({
  id: userId(),
  email: emailAddress(),
  firstName: firstName(),
  lastName: nullable(lastName()),
  createdAt: time(),
});
export type Profile = Infer<typeof profile>;

/** The answer to a registration and a log-in. */
export const session = object({
  user: profile,
  token: described(text({ max: 4096 }), "JWT for `Authorization: Bearer` and for the WebSocket."),
  expiresAt: described(time(), "When the token ends."),
  refreshToken: described(text({ max: 256 }), "Renews the session; keep it as safe as a password."),
});
export type Session = Infer<typeof session>;
