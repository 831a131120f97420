import { chatId, nothing, userId } from "../../../contract/fields.ts";
import { described, integer, named, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const typing = defineMessage({
  type: "typing",
  summary:
    "Notify the other members of a chat that you are typing. Nothing is stored. A notification is pushed at most every two seconds, and never in groups of more than 50 members.",
  params: object({ chatId: chatId() }),
  data: nothing(),
  item: nothing(),
  push: {
    signal: "typing",
    to: "every device of the other members, except members who block you or whom you block",
    item: {
      schema: named(
        "TypingSignal",
        object({
          chatId: chatId(),
          userId: userId(),
          ttlMs: described(integer({ min: 1, max: 60_000 }), "How long to show the indicator, in milliseconds."),
        }),
        "A user is typing in a chat.",
      ),
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
