import { clientMessageId, groupName, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const newGroup = defineMessage({
  type: "newGroup",
  summary: "Create a group. You become its owner. Its id is `params.item.groupId` of the answer.",
  params: object({ groupName: groupName(), clientMessageId: optional(clientMessageId()) }),
  data: nothing(),
  item: messageItem,
  push: { change: "groupCreated", to: "your other devices" },
  errors: ["CONFLICT"],
  example: {
    params: { groupName: "new name" },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      seq: 1,
      version: 1,
      message: 'Patrick0 created the group "new name"',
      notification: true,
      event: { kind: "groupCreated", byUserId: 1, groupName: "new name" },
    }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.create(user, params)));
  },
});
