import { groupId, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const transferOwnership = defineMessage({
  type: "transferOwnership",
  summary: "Make another member the owner of your group. You become an admin.",
  params: object({ groupId: groupId(), userId: userId() }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "ownershipTransferred",
    to: "every device of every member. Also sent when an owner leaves",
  },
  errors: ["NOT_MEMBER", "FORBIDDEN", "NOT_FOUND", "CONFLICT"],
  example: {
    params: { groupId: 1, userId: 2 },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      message: "Patrick0 handed the group over to Patrick1",
      notification: true,
      event: { kind: "ownershipTransferred", byUserId: 1, userId: 2 },
    }),
    prepare: ({ groupId, peerId }) => ({ groupId, userId: peerId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.transferOwnership(user, params)));
  },
});
