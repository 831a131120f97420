import { groupId, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, oneOf } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const setMemberRole = defineMessage({
  type: "setMemberRole",
  summary: "Make a member of a group an admin, or an admin a member. Only the owner may.",
  params: object({ groupId: groupId(), userId: userId(), role: oneOf("admin", "member") }),
  data: nothing(),
  item: messageItem,
  push: { matches: ({ event }) => event?.kind === "roleChanged", to: "every device of every member" },
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
