import { chatId, counter, limit, seq } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, flag, list, named, object, optional } from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import { itemBytes, toMessageItem } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

export const getMessages = defineMessage({
  type: "getMessages",
  summary:
    "Read messages of one of your chats before, after or around a `seq`, in ascending order. Without a `seq`, you get the newest messages. An answer holds at most 512 KiB, and then fewer messages than `limit`.",
  params: object({
    chatId: chatId(),
    before: optional(described(seq(), "Return the messages directly before this `seq`.")),
    after: optional(described(counter(), "Return the messages directly after this `seq`; 0 for the first ones.")),
    around: optional(described(seq(), "Return the message with this `seq` and those on both sides of it.")),
    limit: limit(),
  }),
  data: list(messageItem),
  item: named(
    "MessagePage",
    object({
      hasMore: described(
        flag(),
        "Whether there are more messages in that direction; with `around`, in either direction.",
      ),
    }),
    "What an answer says about its page of messages.",
  ),
  readOnly: true,
  errors: ["NOT_MEMBER"],
  example: {
    params: { chatId: 1, before: 13, limit: 5 },
    data: [exampleItem({ receiverId: 2, message: "Hi" })],
    item: { hasMore: false },
    prepare: ({ dialogId }) => ({ chatId: dialogId, before: 13, limit: 5 }),
  },
  async handle({ user, services }, params) {
    const [, second] = (["before", "after", "around"] as const).filter((cursor) => params[cursor] !== undefined);
    if (second) {
      throw new AppError("validation", 'only one of "before", "after" and "around" is allowed', { field: second });
    }
    const { messages, hasMore } = await services.history.messages(user.userId, params, itemBytes);
    return { data: messages.map(toMessageItem), item: { hasMore } };
  },
});
