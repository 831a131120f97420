import {
  clientMessageId,
  fileIds,
  messageId,
  messageTextWithFiles,
  nothing,
  userId,
} from "../../../contract/fields.ts";
import { givenMentions } from "../../../contract/mentions.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const privateMessage = defineMessage({
  type: "privateMessage",
  summary: "Send a message to one person. The first message creates the dialog.",
  params: object({
    receiverId: userId(),
    content: messageTextWithFiles(),
    clientMessageId: optional(clientMessageId()),
    replyTo: optional(messageId()),
    fileIds: optional(fileIds()),
    ...givenMentions,
  }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "dialogMessage",
    to: "every device of the receiver and the sender's other devices",
  },
  pipelined: true,
  errors: ["NOT_FOUND", "CONFLICT", "LIMIT"],
  example: {
    params: { receiverId: 2, content: "Hi" },
    data: null,
    item: exampleItem({ receiverId: 2, message: "Hi" }),
    prepare: ({ peerId }) => ({ receiverId: peerId, content: "Hi" }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.messages.sendPrivately(user, params)));
  },
});
