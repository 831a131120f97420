import type { AnyMessageType } from "./message-type.ts";
import { clearDialog } from "./messages/chats/clear-dialog.ts";
import { listLastMessage } from "./messages/chats/list-last-message.ts";
import { markRead } from "./messages/chats/mark-read.ts";
import { sync } from "./messages/chats/sync.ts";
import { addUserInGroup } from "./messages/groups/add-user-in-group.ts";
import { deleteGroup } from "./messages/groups/delete-group.ts";
import { leaveGroup } from "./messages/groups/leave-group.ts";
import { listGroupMembers } from "./messages/groups/list-group-members.ts";
import { newGroup } from "./messages/groups/new-group.ts";
import { removeUserFromGroup } from "./messages/groups/remove-user-from-group.ts";
import { renameGroup } from "./messages/groups/rename-group.ts";
import { setMemberRole } from "./messages/groups/set-member-role.ts";
import { transferOwnership } from "./messages/groups/transfer-ownership.ts";
import { deleteMessage } from "./messages/messages/delete-message.ts";
import { editMessage } from "./messages/messages/edit-message.ts";
import { forwardMessage } from "./messages/messages/forward-message.ts";
import { getMessages } from "./messages/messages/get-messages.ts";
import { getlatestMessageDialog } from "./messages/messages/getlatest-message-dialog.ts";
import { getlatestMessageGroup } from "./messages/messages/getlatest-message-group.ts";
import { listMentions } from "./messages/messages/list-mentions.ts";
import { listPinned } from "./messages/messages/list-pinned.ts";
import { listReactions } from "./messages/messages/list-reactions.ts";
import { listReaders } from "./messages/messages/list-readers.ts";
import { messageInGroup } from "./messages/messages/message-in-group.ts";
import { pinMessage } from "./messages/messages/pin-message.ts";
import { privateMessage } from "./messages/messages/private-message.ts";
import { react } from "./messages/messages/react.ts";
import { searchMessages } from "./messages/messages/search-messages.ts";
import { typing } from "./messages/presence/typing.ts";
import { watchPresence } from "./messages/presence/watch-presence.ts";
import { authenticate } from "./messages/session/authenticate.ts";
import { ping } from "./messages/session/ping.ts";
import { setState } from "./messages/state/set-state.ts";

/** All message types, in the order of the documents. */
export const messageTypes = {
  privateMessage,
  newGroup,
  addUserInGroup,
  messageInGroup,
  leaveGroup,
  renameGroup,
  removeUserFromGroup,
  setMemberRole,
  transferOwnership,
  deleteGroup,
  listGroupMembers,
  listLastMessage,
  getlatestMessageDialog,
  getlatestMessageGroup,
  getMessages,
  sync,
  forwardMessage,
  editMessage,
  deleteMessage,
  react,
  listReactions,
  pinMessage,
  listPinned,
  searchMessages,
  listMentions,
  markRead,
  listReaders,
  clearDialog,
  setState,
  typing,
  watchPresence,
  authenticate,
  ping,
} as const;

/** The message types by name. A map, because a client may send "constructor" or "__proto__" as the type. */
export const registry: ReadonlyMap<string, AnyMessageType> = new Map(Object.entries(messageTypes));
