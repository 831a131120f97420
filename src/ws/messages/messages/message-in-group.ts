import {
  clientMessageId,
  fileIds,
  groupId,
  messageId,
  messageTextWithFiles,
  nothing,
} from "../../../contract/fields.ts";
import { givenMentions } from "../../../contract/mentions.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const messageInGroup = defineMessage({
  type: "messageInGroup",
  summary: "Send a message to a group.",
  params: object({
    groupId: groupId(),
    content: messageTextWithFiles(),
    clientMessageId: optional(clientMessageId()),
    replyTo: optional(messageId()),
    fileIds: optional(fileIds()),
    ...givenMentions,
  }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "groupMessage",
    to: "every device of every member, including the sender's other devices",
  },
  pipelined: true,
  errors: ["NOT_MEMBER", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "LIMIT"],
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
