import { nothing, time, userId } from "../../../contract/fields.ts";
import { described, flag, list, named, nullable, object, optional } from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import { maxWatchedUsers } from "../../../services/presence/presence-tracker.ts";
import { defineMessage } from "../../message-type.ts";

const presence = named(
  "Presence",
  object({
    userId: userId(),
    online: flag(),
    lastSeenAt: described(
      nullable(time()),
      "When the last device disconnected; `null` while online and for people you may not see.",
    ),
  }),
  "Whether a user is online.",
);

const people = (description: string) => described(list(userId(), { max: maxWatchedUsers }), description);

export const watchPresence = defineMessage({
  type: "watchPresence",
  summary:
    "Watch whether people are online. The answer holds their current presence; this socket then gets a push for each change. `userIds` replaces the list of watched people; `add` and `remove` change it, and then the answer holds the presence of those added. A socket watches at most 100. You can only see people you share a chat with, and only while neither of you blocks the other. Everyone else is shown as offline. If you lose sight of a person you watch, that person is shown as offline at once.",
  params: object({
    userIds: optional(people("The people to watch from now on.")),
    add: optional(people("People to watch as well.")),
    remove: optional(people("People not to watch any more.")),
  }),
  data: list(presence),
  item: nothing(),
  push: {
    type: "presence",
    to: "the sockets that watch the person. A disconnect of less than 15 seconds is not shown",
    item: { schema: presence, example: { userId: 2, online: false, lastSeenAt: "2023-07-28T13:20:09.896Z" } },
  },
  readOnly: true,
  errors: ["LIMIT"],
  example: {
    params: { userIds: [2] },
    data: [{ userId: 2, online: true, lastSeenAt: null }],
    item: null,
    prepare: ({ peerId }) => ({ userIds: [peerId] }),
  },
  async handle({ socket }, { userIds, add, remove }) {
    if ((userIds === undefined) === (add === undefined && remove === undefined)) {
      throw new AppError("validation", 'pass either "userIds", or "add" and "remove"', { field: "userIds" });
    }
    const data = userIds
      ? await socket.watchPresence(userIds)
      : await socket.changeWatchedPresence({ add: add ?? [], remove: remove ?? [] });
    return { data, item: null };
  },
});
