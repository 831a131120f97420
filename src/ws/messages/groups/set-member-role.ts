import { groupId, nothing, userId } from "../../../contract/fields.ts";
import { assignableRole, exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const setMemberRole = defineMessage({
  type: "setMemberRole",
  summary: "Change the role of a group member to `admin` or `member`. Only the owner may.",
  params: object({ groupId: groupId(), userId: userId(), role: assignableRole }),
  data: nothing(),
  item: messageItem,
  push: { change: "roleChanged", to: "every device of every member" },
  errors: ["NOT_MEMBER", "FORBIDDEN", "NOT_FOUND", "CONFLICT"],
  example: {
    params: { groupId: 1, userId: 2, role: "admin" },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      message: "Patrick0 made Patrick1 an admin",
      notification: true,
      event: { kind: "roleChanged", byUserId: 1, userId: 2, role: "admin" },
    }),
    prepare: ({ groupId, peerId }) => ({ groupId, userId: peerId, role: "admin" as const }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.setRole(user, params)));
  },
});
