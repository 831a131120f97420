import { AppError } from "./errors.ts";

/* Errors that several services return with the same text, so that clients cannot tell the cases apart. */

/** For a group that does not exist, and for users who are not, or no longer, members: it reveals nothing. */
export const notMember = () => new AppError("notMember", "User is not a member of this group");

/** The same for chats of any kind. */
export const notInChat = () => new AppError("notMember", "User is not a member of this chat");

/** For a message that does not exist or is not visible to the caller. */
export const noSuchMessage = () => new AppError("notFound", "There is no such message");

/** For a file that does not exist or is not visible to the caller, and for a link that does not work. */
export const noSuchFile = () => new AppError("notFound", "There is no such file");

/** For a message with files that cannot be sent, whatever is wrong with them. */
export const unusableFiles = () =>
  new AppError("conflict", "The files must be uploaded completely, by you, and be in no other message");

/** For a client id that the sender has already used for a different message. */
export const conflictingClientId = () => new AppError("conflict", "This clientMessageId was used for another message");

/** For members who mention everybody in a large group. */
export const mayNotMentionAll = () =>
  new AppError("forbidden", "Only admins and the owner may mention everybody in a large group");

/** For users who have to confirm their e-mail address before they write. */
export const emailUnverified = () => new AppError("forbidden", "Confirm your e-mail address first");

/** For a user who does not exist, was deleted, or blocks the caller. */
export const noSuchUser = () => new AppError("notFound", "There is no such user");
