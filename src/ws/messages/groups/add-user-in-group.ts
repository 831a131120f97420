import { groupId, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const addUserInGroup = defineMessage({
  type: "addUserInGroup",
  summary: "Add a user to a group you are a member of. New members can read the whole history.",
  params: object({ groupId: groupId(), userId: userId() }),
  data: nothing(),
  item: messageItem,
  push: {
    change: "memberAdded",
    to: "every device of every member, including the added one",
  },
  errors: ["NOT_MEMBER", "NOT_FOUND", "CONFLICT", "LIMIT"],
  example: {
    params: { groupId: 1, userId: 1 },
    data: null,
    item: exampleItem({
      groupId: 1,
      groupName: "new name",
      senderId: 2,
      senderName: "Patrick1",
      message: "Patrick1 added Patrick0 to the group",
      notification: true,
      event: { kind: "memberAdded", byUserId: 2, userId: 1 },
    }),
    prepare: ({ groupId, outsiderId }) => ({ groupId, userId: outsiderId }),
  },
  async handle({ user, services }, params) {
    return wrote(toMessageItem(await services.groups.add(user, params)));
  },
});
