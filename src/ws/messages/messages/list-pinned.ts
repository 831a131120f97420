import { chatId, limit, nothing, page } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { list, object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

export const listPinned = defineMessage({
  type: "listPinned",
  summary: "List the pinned messages of one of your chats, the newest pin first.",
  params: object({ chatId: chatId(), limit: limit(), page: page() }),
  data: list(messageItem),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_MEMBER"],
  example: {
    params: { chatId: 1, limit: 50, page: 1 },
    data: [
      exampleItem({
        receiverId: 2,
        message: "Hi",
        version: 13,
        change: { kind: "pin", by: 1, on: true },
        pinned: { by: 1, at: "2023-07-28T13:21:40.017Z" },
      }),
    ],
    item: null,
    prepare: ({ pinnedChatId }) => ({ chatId: pinnedChatId, limit: 50, page: 1 }),
  },
  async handle({ user, services }, params) {
    return { data: (await services.pins.list(user.userId, params)).map(toMessageItem), item: null };
  },
});
