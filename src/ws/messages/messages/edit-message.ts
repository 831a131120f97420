import { messageId, messageText, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const editMessage = defineMessage({
  type: "editMessage",
  summary: "Replace the text of a message of yours. It keeps its place (`seq`) and takes the chat's next `version`.",
  params: object({ messageId: messageId(), content: messageText() }),
  data: nothing(),
  item: messageItem,
  push: {
    matches: ({ editedAt, deletedAt }) => editedAt !== null && deletedAt === null,
    to: "every device of every member",
  },
  errors: ["NOT_FOUND", "FORBIDDEN", "CONFLICT"],
  example: {
    params: { messageId: 65, content: "Hi!" },
    data: null,
    item: exampleItem({ receiverId: 2, message: "Hi!", version: 13, editedAt: "2023-07-28T13:21:40.017Z" }),
    prepare: ({ messageId }) => ({ messageId, content: "Hi!" }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.edit(user, params)));
  },
});
