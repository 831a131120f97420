import { nothing, time } from "../../../contract/fields.ts";
import { described, named, object, text } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const authenticate = defineMessage({
  type: "authenticate",
  summary:
    "Renew this socket's session with a new token, before the current token expires and the socket is closed (4401).",
  params: object({ token: described(text({ max: 4096 }), "A new token of the same user, from `POST /auth/refresh`.") }),
  data: nothing(),
  item: named(
    "SocketExpiry",
    object({ expiresAt: described(time(), "When this socket will be closed unless it is renewed again.") }),
    "The end of a socket's session.",
  ),
  readOnly: true,
  errors: [],
  example: {
    params: { token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl" },
    data: null,
    item: { expiresAt: "2023-07-29T13:20:09.000Z" },
    prepare: ({ token }) => ({ token }),
  },
  async handle({ socket }, { token }) {
    const { exp } = await socket.renew(token);
    return { data: null, item: { expiresAt: new Date(exp * 1000).toISOString() } };
  },
});
