/** What the client has for links in mails. A separate entry: most pages load it only when they are asked for it. */
export { AccountLinks, readProfile, resendVerification } from "./account-links.ts";
