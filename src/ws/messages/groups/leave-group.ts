import { groupId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const leaveGroup = defineMessage({
  type: "leaveGroup",
  summary:
    "Leave a group. An owner hands over to the oldest admin, else the oldest member; the last one out ends the group.",
  params: object({ groupId: groupId() }),
  data: nothing(),
  item: messageItem,
  push: {
    matches: ({ event }) => event?.kind === "memberLeft",
    to: "every device of everyone who stays, and your other devices; also when someone leaves by deleting the account",
  },
  errors: ["NOT_MEMBER"],
  example: {
    params: { groupId: 1 },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      message: "Patrick0 left the group",
      notification: true,
      event: { kind: "memberLeft", byUserId: 1 },
    }),
    prepare: ({ groupId }) => ({ groupId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.leave(user, params)));
  },
});
