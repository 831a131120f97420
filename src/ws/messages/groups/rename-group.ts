import { groupId, groupName, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const renameGroup = defineMessage({
  type: "renameGroup",
  summary: "Rename a group. Only admins and the owner may.",
  params: object({ groupId: groupId(), groupName: groupName() }),
  data: nothing(),
  item: messageItem,
  push: { change: "groupRenamed", to: "every device of every member" },
  errors: ["NOT_MEMBER", "FORBIDDEN"],
  example: {
    params: { groupId: 1, groupName: "another name" },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "another name",
      message: 'Patrick0 renamed the group to "another name"',
      notification: true,
      event: { kind: "groupRenamed", byUserId: 1, groupName: "another name" },
    }),
    prepare: ({ groupId }) => ({ groupId, groupName: "another name" }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.rename(user, params)));
  },
});
