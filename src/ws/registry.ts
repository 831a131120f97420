import type { AnyMessageType } from "./message.ts";
import { addUserInGroup } from "./messages/add-user-in-group.ts";
import { authenticate } from "./messages/authenticate.ts";
import { clearDialog } from "./messages/clear-dialog.ts";
import { deleteGroup } from "./messages/delete-group.ts";
import { deleteMessage } from "./messages/delete-message.ts";
import { editMessage } from "./messages/edit-message.ts";
import { getMessages } from "./messages/get-messages.ts";
import { getlatestMessageDialog } from "./messages/getlatest-message-dialog.ts";
import { getlatestMessageGroup } from "./messages/getlatest-message-group.ts";
import { leaveGroup } from "./messages/leave-group.ts";
import { listGroupMembers } from "./messages/list-group-members.ts";
import { listLastMessage } from "./messages/list-last-message.ts";
import { markRead } from "./messages/mark-read.ts";
import { messageInGroup } from "./messages/message-in-group.ts";
import { newGroup } from "./messages/new-group.ts";
import { privateMessage } from "./messages/private-message.ts";
import { removeUserFromGroup } from "./messages/remove-user-from-group.ts";
import { renameGroup } from "./messages/rename-group.ts";
import { setMemberRole } from "./messages/set-member-role.ts";
import { sync } from "./messages/sync.ts";
import { transferOwnership } from "./messages/transfer-ownership.ts";
import { typing } from "./messages/typing.ts";
import { watchPresence } from "./messages/watch-presence.ts";

/** Every type there is, in the order of the documents. */
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
  editMessage,
  deleteMessage,
  markRead,
  clearDialog,
  typing,
  watchPresence,
  authenticate,
} as const;

/** Looked up by what clients send, so no inherited key ("constructor", "__proto__") may be found. */
export const registry: ReadonlyMap<string, AnyMessageType> = new Map(Object.entries(messageTypes));
