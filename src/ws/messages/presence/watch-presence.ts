import { nothing, time, userId } from "../../../contract/fields.ts";
import { described, flag, list, nullable, object } from "../../../contract/schema.ts";
import { defineMessage } from "../../message-type.ts";

const presence = object({
  userId: userId(),
  online: flag(),
  lastSeenAt: described(
    nullable(time()),
    "When the last device went; `null` while online, and where you may not know.",
  ),
});

export const watchPresence = defineMessage({
  type: "watchPresence",
  summary:
    "Learn who of these people is online, and hear on this socket when that changes; replaces the list before. Only of people you share a chat with, while neither blocks the other; everyone else looks offline, and whoever becomes one of them goes offline at once.",
  params: object({ userIds: list(userId(), { max: 100 }) }),
  data: list(presence),
  item: nothing(),
  push: {
    type: "presence",
    to: "the sockets that watch; a person who comes back within 15 seconds never went",
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
