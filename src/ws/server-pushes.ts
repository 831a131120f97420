import { avatarId, lastName, userId } from "../contract/fields.ts";
import { exampleItem, messageItem } from "../contract/messages.ts";
import { described, flag, named, nullable, object, optional, type Schema, text } from "../contract/schema.ts";
import type { Signal } from "../domain/change.ts";
import type { EventKind } from "../domain/event.ts";

/** What is pushed without a request of a socket: HTTP requests cause it. */
export interface ServerPush<Kind extends PushedKind = PushedKind> {
  type: string;
  /** The signal or the event that is pushed under this type. */
  kind: Kind;
  summary: string;
  /** The recipients, completing the sentence "goes to ...". */
  to: string;
  item: { schema: Schema<unknown>; example: object };
}

type PushedKind = Signal["kind"] | EventKind;

const definePush = <const Kind extends PushedKind>(push: ServerPush<Kind>): ServerPush<Kind> => push;

export const serverPushes = [
  definePush({
    type: "profile",
    kind: "profile",
    summary: "A user has changed their name or avatar.",
    to: "every device of the user and, best-effort, of users who share a chat with the user, unless one of the two blocks the other",
    item: {
      schema: named(
        "ProfileChange",
        object({
          userId: userId(),
          firstName: text({ max: 64 }),
          lastName: nullable(lastName()),
          avatarId: optional(avatarId()),
        }),
        "The present name and avatar of a user.",
      ),
      example: { userId: 1, firstName: "Pat", lastName: "Star" },
    },
  }),
  definePush({
    type: "block",
    kind: "block",
    summary: "You have blocked or unblocked a user.",
    to: "your own devices",
    item: {
      schema: named(
        "BlockChange",
        object({ userId: userId(), blocked: described(flag(), "Whether you block the user now.") }),
        "A block that you have made or removed.",
      ),
      example: { userId: 2, blocked: true },
    },
  }),
  definePush({
    type: "groupAvatar",
    kind: "avatarChanged",
    summary: "An admin has changed or removed the avatar of a group.",
    to: "every device of every member",
    item: {
      schema: messageItem,
      example: exampleItem({
        groupId: 1,
        groupName: "new name",
        message: "Patrick0 changed the picture of the group",
        notification: true,
        event: { kind: "avatarChanged", byUserId: 1, avatarId: "9f86d081884c7d659a2feaa0c55ad015" },
      }),
    },
  }),
] as const;
