import { chatId, limit, seq } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, flag, list, object, optional } from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import { defineMessage } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const getMessages = defineMessage({
  type: "getMessages",
  summary: "Read a chat of yours around a place in it, by rising `seq`; without a place, its newest messages.",
  params: object({
    chatId: chatId(),
    before: optional(described(seq(), "The messages just before this `seq`.")),
    after: optional(described(seq(), "The messages just after this `seq`.")),
    around: optional(described(seq(), "The messages on both sides of this `seq`, and it.")),
    limit: limit(),
  }),
  data: list(messageItem),
  item: object({ hasMore: described(flag(), "Whether there are more that way; around a place, on either side.") }),
  errors: ["NOT_MEMBER"],
  example: {
    params: { chatId: 1, before: 13, limit: 5 },
    data: [exampleItem({ receiverId: 2, message: "Hi" })],
    item: { hasMore: false },
    prepare: ({ dialogId }) => ({ chatId: dialogId, before: 13, limit: 5 }),
  },
  async handle({ user, services }, params) {
    const places = [params.before, params.after, params.around].filter((place) => place !== undefined);
    if (places.length > 1) throw new AppError("validation", 'only one of "before", "after" and "around" is allowed');
    const { messages, hasMore } = await services.history.messages(user.userId, params);
    return { data: messages.map(toMessageItem), item: { hasMore } };
  },
});
