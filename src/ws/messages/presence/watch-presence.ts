import { nothing, time, userId } from "../../../contract/fields.ts";
import { described, flag, list, named, nullable, object } from "../../../contract/schema.ts";
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
);

export const watchPresence = defineMessage({
  type: "watchPresence",
  summary:
    "Watch whether people are online. The answer holds their current presence; this socket then gets a push for each change. The list replaces the previous one. You can only see people you share a chat with, and only while neither of you blocks the other. Everyone else is shown as offline. If you lose sight of a person you watch, that person is shown as offline at once.",
  params: object({ userIds: list(userId(), { max: 100 }) }),
  data: list(presence),
  item: nothing(),
  push: {
    type: "presence",
    to: "the sockets that watch the person. A disconnect of less than 15 seconds is not shown",
    item: { schema: presence, example: { userId: 2, online: false, lastSeenAt: "2023-07-28T13:20:09.896Z" } },
  },
  errors: [],
  example: {
    params: { userIds: [2] },
    data: [{ userId: 2, online: true, lastSeenAt: null }],
    item: null,
    prepare: ({ peerId }) => ({ userIds: [peerId] }),
  },
  async handle({ socket }, { userIds }) {
    return { data: await socket.watchPresence(userIds), item: null };
  },
});
