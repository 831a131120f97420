import { messageId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const deleteMessage = defineMessage({
  type: "deleteMessage",
  summary:
    "Take a message back: your own, or as admin or owner any of the group. Its place stays; its text is gone for good.",
  params: object({ messageId: messageId() }),
  data: nothing(),
  item: messageItem,
  push: { matches: ({ deletedAt }) => deletedAt !== null, to: "every device of every member" },
  errors: ["NOT_FOUND", "FORBIDDEN"],
  example: {
    params: { messageId: 65 },
    data: null,
    item: exampleItem({ receiverId: 2, version: 13, deletedAt: "2023-07-28T13:21:40.017Z" }),
    prepare: ({ messageId }) => ({ messageId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.delete(user, params)));
  },
});
