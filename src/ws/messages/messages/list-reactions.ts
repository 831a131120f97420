import {
  firstName,
  lastName,
  limit,
  messageId,
  nothing,
  page,
  shownEmoji,
  time,
  userId,
} from "../../../contract/fields.ts";
import { list, named, nullable, object } from "../../../contract/schema.ts";
import type { ListedReaction } from "../../../db/queries/messages/reactions.ts";
import { defineMessage } from "../../message-type.ts";

const toRow = ({ createdAt, ...reaction }: ListedReaction) => ({ ...reaction, createdAt: createdAt.toISOString() });

export const listReactions = defineMessage({
  type: "listReactions",
  summary: "List who reacts to a message, and with which emoji, the earliest reactions first.",
  params: object({ messageId: messageId(), limit: limit(), page: page() }),
  data: list(
    named(
      "ReactionRow",
      object({
        userId: userId(),
        firstName: firstName(),
        lastName: nullable(lastName()),
        emoji: shownEmoji(),
        createdAt: time(),
      }),
      "A reaction of one person to a message.",
    ),
  ),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_FOUND"],
  example: {
    params: { messageId: 65, limit: 20, page: 1 },
    data: [{ userId: 1, firstName: "Patrick0", lastName: null, emoji: "👍", createdAt: "2023-07-28T13:21:40.017Z" }],
    item: null,
    prepare: ({ reactedMessageId }) => ({ messageId: reactedMessageId, limit: 20, page: 1 }),
  },
  async handle({ user, services }, params) {
    return { data: (await services.reactions.list(user.userId, params)).map(toRow), item: null };
  },
});
