import { chatId, counter, nothing, seq, userId } from "../../../contract/fields.ts";
import { object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const markRead = defineMessage({
  type: "markRead",
  summary: "Note that you have read a chat up to a `seq`. The mark only ever moves forward.",
  params: object({ chatId: chatId(), seq: seq() }),
  data: nothing(),
  item: object({ chatId: chatId(), userId: userId(), readSeq: counter() }),
  push: {
    signal: "read",
    to: "your other devices, and in a dialog to the other side, but across no block; take the greatest you heard of",
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
