import { fileIdPattern, filesOfMessageMax } from "../domain/file.ts";
import {
  described,
  either,
  email,
  emoji as emojiText,
  exactly,
  integer,
  list,
  moment,
  named,
  nameText,
  password,
  type Schema,
  text,
  textBlankWith,
  textLike,
} from "./schema.ts";

/* The fields of requests and answers. Their limits are part of the contract: they may become looser, never tighter. */

/** The largest integer that a JSON number represents exactly. */
const maxInteger = Number.MAX_SAFE_INTEGER;

/** The id of a user, a chat, a message or a session. */
export const id = (): Schema<number> => integer({ min: 1, max: maxInteger });

export const userId = () => described(id(), "Id of a user.");
export const groupId = () => described(id(), "Id of a group; the same number as its `chatId`.");
/** The length of the id of an avatar. */
const avatarIdUnits = 64;
export const avatarId = () =>
  described(text({ max: avatarIdUnits }), "Id of an avatar: `GET /avatars/{id}` is the picture. Absent without one.");
export const chatId = () => described(id(), "Id of a chat: a group, or the dialog of two users.");
export const messageId = () => described(id(), "Id of a message.");

export const seq = () =>
  described(integer({ min: 1, max: maxInteger }), "Position of a message in its chat: 1, 2, 3 and so on without gaps.");
export const version = () =>
  described(
    integer({ min: 1, max: maxInteger }),
    "Number of the chat's change that last wrote this message; without gaps in each chat.",
  );
export const ifVersion = () =>
  described(version(), "The `version` of the message as you have it. If the message has another one: `CONFLICT`.");
/** A `seq` or `version`, or 0 if there is none yet. */
export const counter = () => integer({ min: 0, max: maxInteger });

export const limit = () => described(integer({ min: 1, max: 100 }), "Maximum number of rows, 1 to 100.");
export const page = () =>
  described(
    integer({ min: 1, max: 2 ** 31 - 1 }),
    "Number of the page, from 1. A page after the last is an empty list.",
  );

/** The length of a message, in UTF-16 units. */
export const maxContentUnits = 4096;
export const messageText = () =>
  described(text({ max: maxContentUnits }), "The text: 1 to 4,096 UTF-16 units, with a visible character.");
/** The text of a message that may have files. */
export const messageTextWithFiles = () =>
  described(
    textBlankWith("fileIds", { max: maxContentUnits }),
    "The text: 1 to 4,096 UTF-16 units, with a visible character; with `fileIds` it may be empty or blank.",
  );
/** The text of a message in answers and pushes; empty once deleted. */
export const shownText = () => text({ min: 0, max: 10_000, blank: true });

/** The length of an emoji, in UTF-16 units. */
const maxEmojiUnits = 32;
export const emoji = () =>
  described(
    emojiText({ max: maxEmojiUnits }),
    "One emoji as Unicode recommends it for interchange (RGI): 1 to 32 UTF-16 units; ❤ needs U+FE0F.",
  );
/** An emoji in answers and pushes. */
export const shownEmoji = () => text({ max: maxEmojiUnits, blank: true });

export const clientMessageId = () =>
  described(
    textLike(/^[\x20-\x7e]{8,64}$/, "be 8 to 64 printable ASCII characters"),
    "Chosen by the client, a new one for each message. Sending it again never stores the message twice. 8 to 64 printable ASCII characters.",
  );

export const fileId = () =>
  described(textLike(fileIdPattern, "be the id of a file: a UUID in small letters"), "Id of a file, a UUID.");
/** The id of a file where anything else is only unknown. */
export const fileIdText = () => described(text({ max: 200, blank: true }), "Id of a file, a UUID.");

/** The files of a message that is sent. */
export const fileIds = (): Schema<readonly string[]> =>
  described(
    list(fileId(), { min: 1, max: filesOfMessageMax }),
    "The files of the message, in this order, 1 to 10: uploaded completely, by you, and in no other message.",
  );

const anyRequestId = named(
  "RequestId",
  described(
    either(text({ max: 64, blank: true }), integer({ min: -maxInteger, max: maxInteger })),
    "Chosen by the client and returned in the answer: 1 to 64 characters, or an integer.",
  ),
);
export const requestId = () => anyRequestId;

export const retryAfterMs = () =>
  described(integer({ min: 0, max: 3_600_000 }), "How long to wait before trying again, in milliseconds.");

const nameRule = "1 to 64 UTF-16 units, with a visible character and without controls of the direction of text.";
export const groupName = () => described(nameText({ max: 64 }), `Name of a group, ${nameRule}`);
export const firstName = () => described(nameText({ max: 64 }), `First name, ${nameRule}`);
export const lastName = () => described(nameText({ max: 64 }), `Last name, ${nameRule}`);
export const emailAddress = () =>
  described(email(), "E-mail address: one `@`, at most 254 characters, any domain. Upper and lower case are equal.");
export const newPassword = () =>
  described(password({ min: 8 }), "At least 8 characters, at most 72 bytes, and not one of the well-known passwords.");
export const givenPassword = () => described(password({ min: 1 }), "The current password.");

export const time = (): Schema<string> => moment();
export const nothing = (): Schema<null> => exactly(null);
