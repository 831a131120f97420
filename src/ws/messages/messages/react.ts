import { emoji, messageId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, flag, object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const react = defineMessage({
  type: "react",
  summary:
    "React to a message with an emoji, or remove your reaction. If it is as you want it, nothing is stored, and the answer is the message. A message has reactions with at most 20 different emoji, and at most 10 of one user.",
  params: object({
    messageId: messageId(),
    emoji: emoji(),
    on: described(flag(), "Whether you want to react with this emoji."),
  }),
  data: nothing(),
  item: messageItem,
  push: { change: "reaction", to: "every device of every member" },
  errors: ["NOT_FOUND", "FORBIDDEN", "LIMIT"],
  example: {
    params: { messageId: 65, emoji: "👍", on: true },
    data: null,
    item: exampleItem({
      receiverId: 2,
      message: "Hi",
      version: 13,
      change: { kind: "reaction", by: 1, emoji: "👍", on: true },
      reactions: [{ emoji: "👍", count: 1, userIds: [1] }],
    }),
    prepare: ({ messageId }) => ({ messageId, emoji: "👍", on: true }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.reactions.react(user, params)));
  },
});
