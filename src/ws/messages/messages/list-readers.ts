import { counter, firstName, lastName, limit, messageId, nothing, page, userId } from "../../../contract/fields.ts";
import { described, list, named, nullable, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const listReaders = defineMessage({
  type: "listReaders",
  summary:
    "List the members of the chat who have read up to a message, those who have read furthest first. Members who block you, or whom you block, are left out. Nothing is pushed when more members read it.",
  params: object({ messageId: messageId(), limit: limit(), page: page() }),
  data: list(
    named(
      "Reader",
      object({
        userId: userId(),
        firstName: firstName(),
        lastName: nullable(lastName()),
        readSeq: described(counter(), "The `seq` up to which the member has read the chat."),
      }),
      "A member of a chat who has read up to a message.",
    ),
  ),
  item: nothing(),
  readOnly: true,
  errors: ["NOT_FOUND"],
  example: {
    params: { messageId: 65, limit: 20, page: 1 },
    data: [{ userId: 1, firstName: "Patrick0", lastName: null, readSeq: 12 }],
    item: null,
    prepare: ({ messageId }) => ({ messageId, limit: 20, page: 1 }),
  },
  async handle({ user, services }, params) {
    return { data: await services.readState.readers(user.userId, params), item: null };
  },
});
