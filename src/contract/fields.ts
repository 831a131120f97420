import { described, either, email, exactly, integer, moment, password, type Schema, text, textLike } from "./schema.ts";

/* The words that requests and answers are made of. Limits are promises: loosen them if you must, never tighten. */

/** The largest integer that JSON numbers carry exactly. */
const largestInteger = Number.MAX_SAFE_INTEGER;

/** Any id: of a user, a chat, a message, a session. */
export const id = (): Schema<number> => integer({ min: 1, max: largestInteger });

export const userId = () => described(id(), "Id of a user.");
export const groupId = () => described(id(), "Id of a group; the same number as its `chatId`.");
export const chatId = () => described(id(), "Id of a chat: a group, or the dialog of two people.");
export const messageId = () => described(id(), "Id of a message.");

export const seq = () =>
  described(
    integer({ min: 1, max: largestInteger }),
    "Place of a message in its chat: 1, 2, 3 and so on without a gap.",
  );
export const version = () =>
  described(
    integer({ min: 1, max: largestInteger }),
    "Number of the chat's last durable change to this message; without a gap per chat.",
  );
/** A `seq` or `version` that may still be at nothing. */
export const counter = () => integer({ min: 0, max: largestInteger });

export const limit = () => described(integer({ min: 1, max: 100 }), "How many rows at the most, 1 to 100.");
export const page = () =>
  described(integer({ min: 1, max: 2 ** 31 - 1 }), "Which page, from 1; a page past the end is an empty list.");

export const messageText = () => described(text({ max: 4096 }), "What is said: 1 to 4,096 UTF-16 units, not blank.");
/** Text on its way out: empty for a deleted message and for lists of pushes. */
export const shownText = () => text({ min: 0, max: 10_000, blank: true });

export const clientMessageId = () =>
  described(
    textLike(/^[\x20-\x7e]{8,64}$/, "be 8 to 64 printable ASCII characters"),
    "Chosen by the client, new for each message: sending it again can never store the message twice. 8 to 64 printable ASCII characters.",
  );

export const requestId = () =>
  either(text({ max: 64, blank: true }), integer({ min: -largestInteger, max: largestInteger }));

export const groupName = () => described(text({ max: 64 }), "Name of a group, 1 to 64 UTF-16 units, not blank.");
export const firstName = () => described(text({ max: 64 }), "First name, 1 to 64 UTF-16 units, not blank.");
export const lastName = () => described(text({ max: 64 }), "Last name, 1 to 64 UTF-16 units, not blank.");
export const emailAddress = () =>
  described(email(), "E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are the same.");
export const newPassword = () =>
  described(password({ min: 8 }), "At least 8 characters, at most 72 bytes, and none of the well-known passwords.");
export const givenPassword = () => described(password({ min: 1 }), "The current password.");

export const time = (): Schema<string> => moment();
export const nothing = (): Schema<null> => exactly(null);
