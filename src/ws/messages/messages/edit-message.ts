import { ifVersion, messageId, messageText, nothing } from "../../../contract/fields.ts";
import { givenMentions } from "../../../contract/mentions.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const editMessage = defineMessage({
  type: "editMessage",
  summary:
    "Replace the text of one of your messages, and whom it mentions. The message keeps its `seq` and gets the chat's next `version`.",
  params: object({
    messageId: messageId(),
    content: messageText(),
    ifVersion: optional(ifVersion()),
    ...givenMentions,
  }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "edit",
    to: "every device of every member",
  },
  errors: ["NOT_FOUND", "FORBIDDEN", "CONFLICT"],
  example: {
    params: { messageId: 65, content: "Hi!" },
    data: null,
    item: exampleItem({
      receiverId: 2,
      message: "Hi!",
      version: 13,
      change: { kind: "edit", by: 1 },
      editedAt: "2023-07-28T13:21:40.017Z",
    }),
    prepare: ({ messageId }) => ({ messageId, content: "Hi!" }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.edit(user, params)));
  },
});
