import { groupId, limit, nothing, page, shownText, time, userId } from "../../../contract/fields.ts";
import { exampleRowExtras, historyRowExtras } from "../../../contract/messages.ts";
import { described, list, named, object, text } from "../../../contract/schema.ts";
import type { ChatMessage } from "../../../domain/message.ts";
import { displayText } from "../../../services/messages/system-message-text.ts";
import { forwardedOf, mentionsOf, reactionsOf, toRowExtras } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

/** The column names and their spelling are part of the protocol; they are used in this file only. */
const row = object({
  sender_id: userId(),
  senderName: described(text({ max: 64 }), "First name of the sender."),
  group_id: groupId(),
  created_at: time(),
  content: shownText(),
  ...historyRowExtras,
});

const toRow = (message: ChatMessage) => ({
  sender_id: message.sender.id,
  senderName: message.sender.firstName,
  group_id: message.chatId,
  created_at: message.createdAt.toISOString(),
  content: displayText(message),
  ...toRowExtras(message),
  ...reactionsOf(message),
  ...forwardedOf(message),
  ...mentionsOf(message),
});

export const getlatestMessageGroup = defineMessage({
  type: "getlatestMessageGroup",
  summary: "Read the messages of a group you are a member of, newest first.",
  params: object({ groupId: groupId(), limit: limit(), page: page() }),
  data: list(named("GroupMessageRow", row, "A message of a group.")),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_MEMBER"],
  example: {
    params: { groupId: 1, limit: 5, page: 1 },
    data: [
      {
        sender_id: 8,
        senderName: "Patrick7",
        group_id: 1,
        created_at: "2023-07-18T17:16:10.612Z",
        content: "Message from 8",
        ...exampleRowExtras,
      },
    ],
    item: null,
    prepare: ({ groupId }) => ({ groupId, limit: 5, page: 1 }),
  },
  async handle({ user, services }, params) {
    const messages = await services.history.group(user.userId, params);
    return { data: messages.map(toRow), item: null };
  },
});
