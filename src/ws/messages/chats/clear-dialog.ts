import { chatId, counter, nothing, userId } from "../../../contract/fields.ts";
import { named, nullable, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const clearDialog = defineMessage({
  type: "clearDialog",
  summary:
    "Clear your dialog with one person: its messages so far are hidden, for you only. The dialog is listed again with its next message. Hidden messages count as read; the other person gets a `markRead` push.",
  params: object({ receiverId: userId() }),
  data: nothing(),
  item: nullable(
    named(
      "ClearedDialog",
      object({ chatId: chatId(), clearedSeq: counter(), readSeq: counter() }),
      "Up to where a dialog is hidden from you.",
    ),
  ),
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
