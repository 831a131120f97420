import { messageId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, flag, object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const pinMessage = defineMessage({
  type: "pinMessage",
  summary:
    "Pin a message of a chat, or remove its pin: in a group as its admin or owner, in a dialog both people. If it is as you want it, nothing is stored, and the answer is the message. A chat has at most 50 pinned messages.",
  params: object({ messageId: messageId(), on: described(flag(), "Whether you want it to be pinned.") }),
  data: nothing(),
  item: messageItem,
  push: { change: "pin", to: "every device of every member" },
  errors: ["NOT_FOUND", "FORBIDDEN", "LIMIT"],
  example: {
    params: { messageId: 65, on: true },
    data: null,
    item: exampleItem({
      receiverId: 2,
      message: "Hi",
      version: 13,
      change: { kind: "pin", by: 1, on: true },
      pinned: { by: 1, at: "2023-07-28T13:21:40.017Z" },
    }),
    prepare: ({ messageId }) => ({ messageId, on: true }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.pins.set(user, params)));
  },
});
