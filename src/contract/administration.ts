import {
  type AuditRecord,
  accountStatuses,
  auditSources,
  type ManagedGroup,
  type ManagedUser,
  maxCountedMessages,
  type Statistics,
  statisticsDays,
} from "../domain/administration.ts";
import {
  avatarId,
  counter,
  emailAddress,
  firstName,
  groupId,
  groupName,
  id,
  lastName,
  time,
  userId,
} from "./fields.ts";
import { role } from "./people.ts";
import {
  anyObject,
  described,
  integer,
  list,
  named,
  nullable,
  object,
  oneOf,
  optional,
  type Schema,
  text,
  textLike,
} from "./schema.ts";

/* What administrators send and receive. No answer contains the text of a message. */

/** A value of the domain with its times in ISO 8601. */
type Printed<T> = {
  [Key in keyof T]: T[Key] extends Date ? string : T[Key] extends Date | null ? string | null : T[Key];
};

/** Converts the times of a value of the domain. */
export function printed<T extends object>(value: T): Printed<T> {
  const entries = Object.entries(value).map(([key, each]) => [key, each instanceof Date ? each.toISOString() : each]);
  return Object.fromEntries(entries) as Printed<T>;
}

/** A text to look for, and the position of a page. */
export const adminSearch = (words: string) => described(text({ max: 254 }), words);
export const adminCursor = () => described(text({ max: 64 }), "The `nextCursor` of the previous page.");
export const nextAdminCursor = () =>
  described(nullable(text({ max: 64 })), "The `cursor` of the next page; `null` on the last page.");

export const managedUser: Schema<Printed<ManagedUser>> = named(
  "ManagedUser",
  object({
    id: userId(),
    email: emailAddress(),
    firstName: firstName(),
    lastName: nullable(lastName()),
    avatarId: optional(avatarId()),
    role,
    createdAt: time(),
    lastSeenAt: described(nullable(time()), "When the last device disconnected; `null` if none ever connected."),
    suspendedAt: described(nullable(time()), "`null` for an account that can log in."),
    sessions: described(counter(), "Number of active sessions."),
    messages: described(
      counter(),
      `Number of messages written and not deleted, counted up to ${maxCountedMessages.toLocaleString("en")}.`,
    ),
  }),
  "An account as administrators see it.",
);

export const managedGroup: Schema<Printed<ManagedGroup>> = named(
  "ManagedGroup",
  object({
    id: groupId(),
    name: groupName(),
    avatarId: optional(avatarId()),
    members: described(counter(), "Number of members."),
    ownerId: nullable(userId()),
    createdAt: time(),
    lastMessageAt: nullable(time()),
  }),
  "A group as administrators see it.",
);

export const passwordLink = {
  url: described(
    text({ max: 1024 }),
    "A link that works once, with which the user chooses a password. A path alone if the server has no `PUBLIC_URL`.",
  ),
  expiresAt: described(time(), "When the link stops working."),
};

const activeAccounts = named(
  "ActiveAccounts",
  object({ day: counter(), week: counter(), month: counter() }),
  "How many accounts were used in the last 24 hours, 7 days and 30 days.",
);

export const statistics: Schema<Statistics> = named(
  "Statistics",
  object({
    users: described(counter(), "Number of accounts."),
    active: activeAccounts,
    sockets: described(counter(), "Open sockets on all processes."),
    chats: described(counter(), "Groups, and dialogs with a message."),
    messages: described(counter(), "Messages written in these chats, system messages included."),
    messagesPerDay: described(
      list(counter(), { max: statisticsDays }),
      `Messages written on each of the last ${statisticsDays} days, in UTC; today is the last one.`,
    ),
    databaseBytes: counter(),
    fileBytes: described(counter(), "The uploaded files, without thumbnails."),
  }),
  "How much the server is used.",
);

export const accountStatus = named("AccountStatus", oneOf(...accountStatuses), "Whether an account can log in.");

/** Whether a deletion includes the messages. */
export const erase = named(
  "EraseMessages",
  oneOf("true", "false"),
  "Whether to delete the messages of the user, too. Also for an account that was deleted before.",
);

/** Names of actions and targets; new ones can appear. */
export const auditWord = () => textLike(/^[a-z][a-z.-]{0,63}$/, "be a word of small letters, dots and hyphens");

export const auditRecord: Schema<Printed<AuditRecord>> = named(
  "AuditRecord",
  object({
    id: id(),
    at: time(),
    actorId: described(nullable(userId()), "The administrator; `null` for the command line and the server itself."),
    source: named("AuditSource", oneOf(...auditSources), "How an action reached the server."),
    action: described(auditWord(), "What was done, such as `user.suspend`."),
    targetType: described(nullable(auditWord()), "What it was done to, such as `user` or `group`."),
    targetId: nullable(integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    details: described(anyObject(), "Ids, roles and names of changed fields. Never names, addresses or texts."),
    address: described(nullable(text({ max: 64 })), "The network address of the request."),
  }),
  "An action of an administrator.",
);

/* Examples for the documents. */
export const exampleManagedUser: Printed<ManagedUser> = {
  id: 2,
  email: "patrick1@example.org",
  firstName: "Patrick1",
  lastName: null,
  role: "user",
  createdAt: "2023-07-28T13:20:09.896Z",
  lastSeenAt: "2023-07-28T15:02:11.120Z",
  suspendedAt: null,
  sessions: 2,
  messages: 154,
};
export const exampleManagedGroup: Printed<ManagedGroup> = {
  id: 3,
  name: "Lunch",
  members: 12,
  ownerId: 2,
  createdAt: "2023-07-28T13:25:00.000Z",
  lastMessageAt: "2023-07-28T15:01:40.871Z",
};
export const exampleLink = {
  url: "https://chat.example.org/reset#q2h0bGV0dGVyc19hbmRfZGlnaXRzX3Rha2VuX2F0X3JhbmQ",
  expiresAt: "2023-07-28T15:32:11.120Z",
};
