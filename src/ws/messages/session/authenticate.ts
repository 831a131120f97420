import { nothing, time } from "../../../contract/fields.ts";
import { described, object, text } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const authenticate = defineMessage({
  type: "authenticate",
  summary: "Go on under a fresh token, before the one that opened this socket runs out and closes it (4401).",
  params: object({ token: described(text({ max: 4096 }), "A token of the same person, from `POST /auth/refresh`.") }),
  data: nothing(),
  item: object({ expiresAt: described(time(), "When this socket will be closed unless it is renewed again.") }),
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
