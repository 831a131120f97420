import type { Messenger } from "./messenger.ts";

/** Whose avatar is changed. Without `groupId` it is the user's own. */
export interface AvatarOwner {
  groupId?: number;
}

/**
 * Makes a picture an avatar: PNG, JPEG, GIF, WebP or AVIF, at most 5 MiB, of which the middle is taken. Admins and the owner of
 * a group may change its avatar.
 * @throws MessengerError such as `FORBIDDEN`; `VALIDATION` if it is no picture; `NOT_CONFIGURED` if the server takes none
 */
export const setAvatar = (messenger: Messenger, picture: Blob, owner: AvatarOwner = {}): Promise<void> =>
  change(messenger, owner, "PUT", picture);

/** Removes an avatar. @throws MessengerError such as `FORBIDDEN` */
export const removeAvatar = (messenger: Messenger, owner: AvatarOwner = {}): Promise<void> =>
  change(messenger, owner, "DELETE");

async function change(messenger: Messenger, owner: AvatarOwner, method: string, picture?: Blob): Promise<void> {
  const { groupId } = owner;
  await messenger.call(method, groupId === undefined ? "/users/me/avatar" : `/groups/${groupId}/avatar`, picture);
  // The push to the user's devices may come some seconds later.
  if (groupId === undefined) await messenger.updateProfile();
}
