import { clientMessageId, groupId, messageId, messageText, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { isNewText, toMessageItem } from "../../message-item.ts";

export const messageInGroup = defineMessage({
  type: "messageInGroup",
  summary: "Write to everyone in a group.",
  params: object({
    groupId: groupId(),
    content: messageText(),
    clientMessageId: optional(clientMessageId()),
    replyTo: optional(messageId()),
  }),
  data: nothing(),
  item: messageItem,
  push: {
    matches: (message) => message.receiver === null && isNewText(message),
    to: "every device of every member, the sender's other devices too",
  },
  pipelined: true,
  errors: ["NOT_MEMBER", "NOT_FOUND", "CONFLICT"],
  example: {
    params: { groupId: 1, content: "lol" },
    data: null,
    item: exampleItem({ groupId: 1, groupName: "new name", message: "lol" }),
    prepare: ({ groupId }) => ({ groupId, content: "Hi" }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.sendToGroup(user, params)));
  },
});
