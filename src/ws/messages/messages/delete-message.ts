import { ifVersion, messageId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const deleteMessage = defineMessage({
  type: "deleteMessage",
  summary:
    "Delete a message: your own, or any message of a group as its admin or owner. The message keeps its `seq`; its text is erased.",
  params: object({ messageId: messageId(), ifVersion: optional(ifVersion()) }),
  data: nothing(),
  item: messageItem,
  push: { change: "delete", to: "every device of every member" },
  errors: ["NOT_FOUND", "FORBIDDEN", "CONFLICT"],
  example: {
    params: { messageId: 65 },
    data: null,
    item: exampleItem({
      receiverId: 2,
      version: 13,
      change: { kind: "delete", by: 1 },
      deletedAt: "2023-07-28T13:21:40.017Z",
    }),
    prepare: ({ messageId }) => ({ messageId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.delete(user, params)));
  },
});
