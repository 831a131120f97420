import { AppError } from "./errors.ts";

/* Refusals that several services give in the same words, because they must not be told apart. */

/** One answer for a stranger, for someone who has left, and for a group that does not exist: it tells nothing. */
export const notMember = () => new AppError("notMember", "User is not a member of this group");

/** The same for a chat of whatever kind. */
export const notInChat = () => new AppError("notMember", "User is not a member of this chat");

/** For a message that never was, or that the one who asks may not see. */
export const noSuchMessage = () => new AppError("notFound", "There is no such message");

/** For a client id that was used before, for something else. */
export const conflictingClientId = () => new AppError("conflict", "This clientMessageId was used for another message");

/** For someone who never was, whose account is gone, or who blocks the one that asks. */
export const noSuchUser = () => new AppError("notFound", "There is no such user");
