import { groupId, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const removeUserFromGroup = defineMessage({
  type: "removeUserFromGroup",
  summary: "Remove a member from a group. Admins may remove members without a role; the owner may remove anyone else.",
  params: object({ groupId: groupId(), userId: userId() }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "memberRemoved",
    to: "every device of every member and of the removed user",
  },
  errors: ["NOT_MEMBER", "FORBIDDEN", "NOT_FOUND"],
  example: {
    params: { groupId: 1, userId: 3 },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      message: "Patrick0 removed Patrick2 from the group",
      notification: true,
      event: { kind: "memberRemoved", byUserId: 1, userId: 3 },
    }),
    prepare: ({ groupId, peerId }) => ({ groupId, userId: peerId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.remove(user, params)));
  },
});
