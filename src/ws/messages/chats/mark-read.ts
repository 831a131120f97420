import { chatId, counter, nothing, seq, userId } from "../../../contract/fields.ts";
import { named, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const markRead = defineMessage({
  type: "markRead",
  summary: "Mark a chat as read up to a `seq`. The read position never moves back: a smaller `seq` changes nothing.",
  params: object({ chatId: chatId(), seq: seq() }),
  data: nothing(),
  item: named(
    "ReadPosition",
    object({ chatId: chatId(), userId: userId(), readSeq: counter() }),
    "Up to where a user has read a chat.",
  ),
  push: {
    signal: "read",
    to: "your other devices and, in a dialog, the devices of the other person, unless one of you blocks the other. Pushes may arrive out of order: keep the greatest `readSeq`",
  },
  errors: ["NOT_MEMBER"],
  example: {
    params: { chatId: 1, seq: 12 },
    data: null,
    item: { chatId: 1, userId: 1, readSeq: 12 },
    prepare: ({ dialogId }) => ({ chatId: dialogId, seq: 3 }),
  },
  async handle({ user, services }, params) {
    return { data: null, item: await services.readState.markRead(user, params) };
  },
});
