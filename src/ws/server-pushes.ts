import { lastName, userId } from "../contract/fields.ts";
import { described, flag, named, nullable, object, type Schema, text } from "../contract/schema.ts";
import type { Signal } from "../domain/change.ts";

/** What is pushed without a request of a socket: HTTP requests cause it. */
export interface ServerPush<Kind extends Signal["kind"] = Signal["kind"]> {
  type: string;
  /** The signal that is pushed under this type. */
  signal: Kind;
  summary: string;
  /** The recipients, completing the sentence "goes to ...". */
  to: string;
  item: { schema: Schema<unknown>; example: object };
}

const definePush = <const Kind extends Signal["kind"]>(push: ServerPush<Kind>): ServerPush<Kind> => push;

export const serverPushes = [
  definePush({
    type: "profile",
    signal: "profile",
    summary: "A user has changed their name.",
    to: "every device of the user and, best-effort, of users who share a chat with the user, unless one of the two blocks the other",
    item: {
      schema: named(
        "ProfileChange",
        object({ userId: userId(), firstName: text({ max: 64 }), lastName: nullable(lastName()) }),
        "The new name of a user.",
      ),
      example: { userId: 1, firstName: "Pat", lastName: "Star" },
    },
  }),
  definePush({
    type: "block",
    signal: "block",
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
] as const;
