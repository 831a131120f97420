import { avatarId, groupId } from "../../contract/fields.ts";
import { closedObject, object, text } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";

const tag = "Avatars";
const exampleId = "9f86d081884c7d659a2feaa0c55ad015";
const stored = object({ avatarId: avatarId() });

export const setOwnAvatar = defineRoute({
  method: "put",
  url: "/users/me/avatar",
  summary:
    "Make a picture your avatar: the body, at most 5 MiB of PNG, JPEG, GIF, WebP or AVIF. The middle of it becomes a WebP of 256 by 256 pixels. The avatar before is removed.",
  tag,
  takesPicture: true,
  status: 200,
  answer: stored,
  errors: ["VALIDATION", "NOT_CONFIGURED"],
  example: { answer: { avatarId: exampleId } },
  handle: async ({ identity, picture, services }) => ({
    avatarId: await services.avatars.set(identity.userId, picture),
  }),
});

export const removeOwnAvatar = defineRoute({
  method: "delete",
  url: "/users/me/avatar",
  summary: "Remove your avatar.",
  tag,
  status: 204,
  errors: [],
  example: {},
  handle: ({ identity, services }) => services.avatars.remove(identity.userId),
});

export const setGroupAvatar = defineRoute({
  method: "put",
  url: "/groups/{id}/avatar",
  summary:
    "Make a picture the avatar of a group, as its admin or owner; as for your own. The members receive a system message, pushed as `groupAvatar`.",
  tag,
  path: closedObject({ id: groupId() }),
  takesPicture: true,
  status: 200,
  answer: stored,
  errors: ["VALIDATION", "NOT_MEMBER", "FORBIDDEN", "NOT_CONFIGURED"],
  example: { path: { id: 1 }, answer: { avatarId: exampleId } },
  handle: async ({ identity, path, picture, services }) => ({
    avatarId: await services.avatars.setOfGroup(
      { userId: identity.userId, requester: undefined },
      { groupId: path.id, picture },
    ),
  }),
});

export const removeGroupAvatar = defineRoute({
  method: "delete",
  url: "/groups/{id}/avatar",
  summary: "Remove the avatar of a group, as its admin or owner. If it has none, nothing is stored.",
  tag,
  path: closedObject({ id: groupId() }),
  status: 204,
  errors: ["VALIDATION", "NOT_MEMBER", "FORBIDDEN"],
  example: { path: { id: 1 } },
  handle: ({ identity, path, services }) =>
    services.avatars.removeOfGroup({ userId: identity.userId, requester: undefined }, { groupId: path.id }),
});

export const readAvatar = defineRoute<{ id: string }, undefined, undefined, Buffer, true>({
  method: "get",
  url: "/avatars/{id}",
  summary:
    "Get an avatar, without log-in: its id cannot be guessed. A changed avatar has another id, so the response may be cached for ever.",
  tag,
  public: true,
  limit: "avatarsPerAddress",
  // A malformed id is no other than an unknown one.
  path: closedObject({ id: text({ min: 0, max: 200, blank: true }) }),
  status: 200,
  givesPicture: true,
  errors: ["NOT_FOUND"],
  example: { path: { id: exampleId } },
  handle: ({ path, services }) => services.avatars.read(path.id),
});

export const avatarRoutes = [setOwnAvatar, removeOwnAvatar, setGroupAvatar, removeGroupAvatar, readAvatar];
