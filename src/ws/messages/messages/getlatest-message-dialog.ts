import { limit, nothing, page, shownText, time, userId } from "../../../contract/fields.ts";
import { exampleRowExtras, historyRowExtras } from "../../../contract/messages.ts";
import { described, list, named, object, text } from "../../../contract/schema.ts";
import type { ChatMessage } from "../../../domain/message.ts";
import { displayText } from "../../../services/messages/system-message-text.ts";
import { forwardedOf, mentionsOf, reactionsOf, toRowExtras } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

/** The column names and their spelling are part of the protocol; they are used in this file only. */
const row = object({
  sender_id: userId(),
  receiver_id: userId(),
  receverName: described(text({ max: 64 }), "First name of the receiver."),
  content: shownText(),
  created_at: time(),
  ...historyRowExtras,
});

const toRow = (message: ChatMessage) => ({
  sender_id: message.sender.id,
  receiver_id: message.receiver?.id ?? message.sender.id,
  receverName: message.receiver?.firstName ?? message.sender.firstName,
  content: displayText(message),
  created_at: message.createdAt.toISOString(),
  ...toRowExtras(message),
  ...reactionsOf(message),
  ...forwardedOf(message),
  ...mentionsOf(message),
});

export const getlatestMessageDialog = defineMessage({
  type: "getlatestMessageDialog",
  summary: "Read your dialog with one person, newest message first. This also works if that account was deleted.",
  params: object({ receiverId: userId(), limit: limit(), page: page() }),
  data: list(named("DialogMessageRow", row, "A message of a dialog.")),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_FOUND"],
  example: {
    params: { receiverId: 1, limit: 5, page: 1 },
    data: [
      {
        sender_id: 1,
        receiver_id: 2,
        receverName: "Patrick1",
        content: "Message from 1",
        created_at: "2023-07-18T17:16:10.669Z",
        ...exampleRowExtras,
      },
    ],
    item: null,
    prepare: ({ peerId }) => ({ receiverId: peerId, limit: 5, page: 1 }),
  },
  async handle({ user, services }, params) {
    const messages = await services.history.dialog(user.userId, params);
    return { data: messages.map(toRow), item: null };
  },
});
