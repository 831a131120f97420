import { groupId, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const leaveGroup = defineMessage({
  type: "leaveGroup",
  summary:
    "Leave a group. If the owner leaves, the longest-standing admin becomes the owner, or the longest-standing member if there is no admin. If the last member leaves, the group is deleted.",
  params: object({ groupId: groupId() }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "memberLeft",
    to: "every device of the remaining members and your other devices. Also sent when a member deletes the account",
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
