import { chatId, time, userId } from "../../../contract/fields.ts";
import { exampleItem, foundMessage } from "../../../contract/messages.ts";
import { described, flag, integer, list, named, nullable, object, optional, text } from "../../../contract/schema.ts";
import { itemBytes, toMessageItem } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

export const searchMessages = defineMessage({
  type: "searchMessages",
  summary:
    "Search the messages of all your chats, or of one, for words: 1 to 5, of at least 2 characters each (Chinese, Japanese and Korean ones of at least 1). A message is found if it contains all of them, also inside other words; case and accents do not matter. The newest messages come first. An answer holds at most 512 KiB.",
  params: object({
    query: described(text({ max: 200, blank: true }), "The words, 1 to 200 UTF-16 units."),
    chatId: optional(described(chatId(), "Search this chat only.")),
    senderId: optional(described(userId(), "Find only messages of this user.")),
    before: optional(described(time(), "Find only messages sent before this time.")),
    after: optional(described(time(), "Find only messages sent after this time.")),
    limit: described(integer({ min: 1, max: 50 }), "Maximum number of messages, 1 to 50."),
    cursor: optional(
      described(text({ max: 100 }), "The `cursor` of the previous answer, with otherwise equal params."),
    ),
  }),
  data: list(foundMessage),
  item: named(
    "SearchResult",
    object({
      cursor: described(
        nullable(text({ max: 100 })),
        "Where the next page begins; `null` on the last page. A page may have fewer messages than `limit`.",
      ),
      behind: described(
        flag(),
        "The latest changes of a searched chat are not indexed yet, usually for less than two seconds: what was sent or edited last may not be found.",
      ),
    }),
    "What an answer says about its page of found messages.",
  ),
  readOnly: true,
  limit: "searchesPerUser",
  errors: ["NOT_MEMBER"],
  example: {
    params: { query: "lunch", limit: 20 },
    data: [{ ...exampleItem({ receiverId: 2, message: "Lunch at noon?" }), highlights: [[0, 5]] }],
    item: { cursor: null, behind: false },
    prepare: ({ dialogId }) => ({ query: "one", chatId: dialogId, limit: 20 }),
  },
  async handle({ user, services }, params) {
    const { found, cursor, isBehind } = await services.search.search(user.userId, params, itemBytes);
    return {
      data: found.map(({ message, highlights }) => ({ ...toMessageItem(message), highlights })),
      item: { cursor, behind: isBehind },
    };
  },
});
