import {
  avatarId,
  chatId,
  counter,
  groupId,
  groupName,
  limit,
  nothing,
  page,
  shownText,
  time,
  userId,
} from "../../../contract/fields.ts";
import { exampleRowExtras, rowExtras } from "../../../contract/messages.ts";
import { described, list, named, nullable, object, optional, text } from "../../../contract/schema.ts";
import type { ListedChat } from "../../../db/queries/chats/chat-list.ts";
import { displayText } from "../../../services/messages/system-message-text.ts";
import { toRowExtras } from "../../message-item.ts";
import { defineMessage } from "../../message-type.ts";

const row = object({
  ...rowExtras,
  senderId: userId(),
  senderName: text({ max: 64 }),
  receiverId: nullable(userId()),
  receiverName: nullable(text({ max: 64 })),
  groupId: nullable(groupId()),
  groupName: nullable(groupName()),
  content: shownText(),
  createdAt: time(),
  updatedAt: described(time(), "When the message was last changed: sent, edited or deleted."),
  chatId: chatId(),
  chatVersion: described(counter(), "`version` of the chat's last change."),
  unread: described(counter(), "Number of messages after `readSeq`."),
  mentions: described(counter(), "Number of messages after `readSeq` that mention you, or everybody; at most 99."),
  readSeq: described(counter(), "`seq` of the newest message you have read."),
  avatarId: optional(avatarId()),
});

function toRow({ lastMessage, chatVersion, unread, mentions, readSeq, avatarId: avatar }: ListedChat) {
  const { sender, receiver, groupName, createdAt, editedAt, deletedAt } = lastMessage;
  return {
    ...toRowExtras(lastMessage),
    senderId: sender.id,
    senderName: sender.firstName,
    receiverId: receiver?.id ?? null,
    receiverName: receiver?.firstName ?? null,
    groupId: receiver ? null : lastMessage.chatId,
    groupName,
    content: displayText(lastMessage),
    createdAt: createdAt.toISOString(),
    updatedAt: (deletedAt ?? editedAt ?? createdAt).toISOString(),
    chatId: lastMessage.chatId,
    chatVersion,
    unread,
    mentions,
    readSeq,
    ...(avatar !== undefined && { avatarId: avatar }),
  };
}

export const listLastMessage = defineMessage({
  type: "listLastMessage",
  summary: "List your chats, each with its last message. The chat with the newest message comes first.",
  params: object({ limit: limit(), page: page() }),
  data: list(named("ChatListRow", row, "A chat with its last message.")),
  item: nothing(),
  readOnly: true,
  errors: [],
  example: {
    params: { limit: 5, page: 1 },
    data: [
      {
        ...exampleRowExtras,
        senderId: 2,
        senderName: "Patrick1",
        receiverId: 1,
        receiverName: "Patrick0",
        groupId: null,
        groupName: null,
        content: "Hi",
        createdAt: "2023-07-28T13:20:09.896Z",
        updatedAt: "2023-07-28T13:20:09.896Z",
        chatId: 1,
        chatVersion: 12,
        unread: 1,
        mentions: 0,
        readSeq: 11,
      },
    ],
    item: null,
  },
  async handle({ user, services }, params) {
    const chats = await services.history.latestChats(user.userId, params);
    return { data: chats.map(toRow), item: null };
  },
});
