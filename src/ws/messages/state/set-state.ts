import { counter, nothing } from "../../../contract/fields.ts";
import { newState, stateKey, stateValue } from "../../../contract/personal-state.ts";
import { described, named, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

export const setState = defineMessage({
  type: "setState",
  summary:
    "Set one key of your personal state, which all your devices share: settings of a chat, a draft, or preferences. If it has this value already, nothing is stored. At most 5,000 keys.",
  params: object({ key: stateKey(), value: stateValue() }),
  data: nothing(),
  item: named(
    "StateChange",
    object({
      stateVersion: described(
        counter(),
        "Number of this change among all changes of your state: 1, 2, 3 and so on. If nothing was stored, that of the key's last change, or 0.",
      ),
      key: stateKey(),
      value: stateValue(),
    }),
    "A key of your personal state, and its value.",
  ),
  push: {
    signal: "state",
    to: "your other devices. Pushes may arrive out of order: call `sync` if `stateVersion` is not the next one",
  },
  errors: ["NOT_MEMBER", "LIMIT"],
  example: {
    params: { key: "chat:1", value: { mutedUntil: "9999-12-31T23:59:59.999Z" } },
    data: null,
    item: { stateVersion: 1, key: "chat:1", value: { mutedUntil: "9999-12-31T23:59:59.999Z" } },
    prepare: ({ dialogId }) => ({ key: `chat:${dialogId}`, value: { mutedUntil: "9999-12-31T23:59:59.999Z" } }),
  },
  async handle({ user, services }, params) {
    return { data: null, item: await services.state.set(user, newState(params)) };
  },
});
