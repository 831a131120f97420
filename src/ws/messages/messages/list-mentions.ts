import { id, limit } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, list, named, nullable, object, optional } from "../../../contract/schema.ts";
import { itemBytes, toMessageItem } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

export const listMentions = defineMessage({
  type: "listMentions",
  summary:
    "List the messages of others that mention you, or everybody, in the chats you are in, the newest first. An answer holds at most 512 KiB, and then fewer messages than `limit`.",
  params: object({
    limit: limit(),
    before: optional(described(id(), "The `cursor` of the answer before; without it you get the newest.")),
  }),
  data: list(messageItem),
  item: named(
    "MentionsPage",
    object({ cursor: described(nullable(id()), "`before` of the next request; `null` if there are no more.") }),
    "Where the list of mentions goes on.",
  ),
  readOnly: true,
  errors: [],
  example: {
    params: { limit: 20 },
    data: [
      exampleItem({
        senderId: 2,
        senderName: "Patrick1",
        groupId: 1,
        groupName: "new name",
        message: "Hi @Patrick0",
        mentions: [{ userId: 1, offset: 3, length: 9 }],
      }),
    ],
    item: { cursor: null },
  },
  async handle({ user, services }, params) {
    const { messages, cursor } = await services.mentions.list(user.userId, params, itemBytes);
    return { data: messages.map(toMessageItem), item: { cursor } };
  },
});
