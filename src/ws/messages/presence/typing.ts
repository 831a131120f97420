import { chatId, nothing, userId } from "../../../contract/fields.ts";
import { described, integer, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const typing = defineMessage({
  type: "typing",
  summary:
    "Say that you are writing in a chat. Stored nowhere; told at most every two seconds, and not in groups above 50.",
  params: object({ chatId: chatId() }),
  data: nothing(),
  item: nothing(),
  push: {
    signal: "typing",
    to: "the others who are connected, but across no block",
    item: {
      schema: object({
        chatId: chatId(),
        userId: userId(),
        ttlMs: described(integer({ min: 1, max: 60_000 }), "How long to show it, in milliseconds."),
      }),
      example: { chatId: 1, userId: 1, ttlMs: 6000 },
    },
  },
  errors: ["NOT_MEMBER", "NOT_FOUND"],
  example: { params: { chatId: 1 }, data: null, item: null, prepare: ({ dialogId }) => ({ chatId: dialogId }) },
  async handle({ user, services }, params) {
    await services.typing.notify(user, params);
    return { data: null, item: null };
  },
});
