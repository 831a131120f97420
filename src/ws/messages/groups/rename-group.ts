import { groupId, groupName, nothing } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object } from "../../../contract/schema.ts";
import { defineMessage, wrote } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

export const renameGroup = defineMessage({
  type: "renameGroup",
  summary: "Give a group another name. Admins and the owner may.",
  params: object({ groupId: groupId(), groupName: groupName() }),
  data: nothing(),
  item: messageItem,
  push: { matches: ({ event }) => event?.kind === "groupRenamed", to: "every device of every member" },
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
