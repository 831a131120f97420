import { groupId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const deleteGroup = defineMessage({
  type: "deleteGroup",
  summary: "Delete a group with its history, for all members. Only the owner may.",
  params: object({ groupId: groupId() }),
  data: nothing(),
  item: messageItem,
  push: { change: "groupDeleted", to: "every device of every former member" },
  errors: ["NOT_MEMBER", "FORBIDDEN"],
  example: {
    params: { groupId: 1 },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      message: "Patrick0 deleted the group",
      notification: true,
      event: { kind: "groupDeleted", byUserId: 1 },
    }),
    prepare: ({ groupId }) => ({ groupId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.delete(user, params)));
  },
});
