import { chatId, counter, nothing, userId } from "../../../contract/fields.ts";
import { nullable, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const clearDialog = defineMessage({
  type: "clearDialog",
  summary:
    "Hide your dialog with one person up to now, for you only. It comes back with its next message. What is hidden counts as read, which the other side is told as `markRead`.",
  params: object({ receiverId: userId() }),
  data: nothing(),
  item: nullable(object({ chatId: chatId(), clearedSeq: counter(), readSeq: counter() })),
  push: { signal: "cleared", to: "your other devices" },
  errors: ["NOT_FOUND"],
  example: {
    params: { receiverId: 2 },
    data: null,
    item: { chatId: 1, clearedSeq: 12, readSeq: 12 },
    prepare: ({ peerId }) => ({ receiverId: peerId }),
  },
  async handle({ user, services }, params) {
    return { data: null, item: await services.readState.clearDialog(user, params) };
  },
});
