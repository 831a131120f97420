import { clientMessageId, groupId, messageId, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { object, optional } from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import { toMessageItem } from "../../message-item.ts";
import { defineMessage, wrote } from "../../message-type.ts";

export const forwardMessage = defineMessage({
  type: "forwardMessage",
  summary:
    "Forward a message of one of your chats to a person (`receiverId`) or a group (`groupId`), exactly one of the two. The copy is an ordinary message of yours that names the first author, and is pushed as `privateMessage` or `messageInGroup`. It cannot be edited. Deleted and system messages cannot be forwarded.",
  params: object({
    messageId: messageId(),
    receiverId: optional(userId()),
    groupId: optional(groupId()),
    clientMessageId: optional(clientMessageId()),
  }),
  data: nothing(),
  item: messageItem,
  errors: ["NOT_FOUND", "NOT_MEMBER", "FORBIDDEN", "CONFLICT"],
  example: {
    params: { messageId: 65, groupId: 1 },
    data: null,
    item: exampleItem({
      messageId: 66,
      seq: 13,
      version: 13,
      groupId: 1,
      groupName: "new name",
      message: "Hi",
      forwarded: { senderId: 2, senderName: "Patrick1" },
    }),
    prepare: ({ messageId, groupId }) => ({ messageId, groupId }),
  },
  async handle({ user, services }, { messageId, receiverId, groupId, clientMessageId }) {
    const to = targetOf({ receiverId, groupId });
    return wrote(toMessageItem(await services.forwarding.forward(user, { messageId, to, clientMessageId })));
  },
});

function targetOf({ receiverId, groupId }: { receiverId?: number | undefined; groupId?: number | undefined }) {
  if (receiverId === undefined && groupId !== undefined) return { groupId };
  if (groupId === undefined && receiverId !== undefined) return { receiverId };
  const words = 'exactly one of "receiverId" and "groupId" is required';
  throw new AppError("validation", words, { field: groupId === undefined ? "receiverId" : "groupId" });
}
