/** What most pages load only when they are asked for it: links in mails, and changed avatars. A separate entry. */
export { AccountLinks, readProfile, resendVerification } from "./account-links.ts";
export { type AvatarOwner, removeAvatar, setAvatar } from "./avatars.ts";
