import { defaultFetch, type Fetch, Http } from "./http.ts";
import type { Messenger } from "./messenger.ts";
import type { Profile } from "./protocol.ts";

/** What people do with mailed links. Needs no log-in. */
export class AccountLinks {
  private readonly http: Http;

  /** @param options.url the address of the server, such as `https://chat.example.org` */
  constructor({ url, fetch = defaultFetch }: { url: string; fetch?: Fetch }) {
    this.http = new Http(url.replace(/\/+$/, ""), fetch);
  }

  /**
   * Has the server mail a link to choose a new password, if there is such an account: the answer does not tell.
   * @throws MessengerError `NOT_CONFIGURED` if the server sends no mail
   */
  forgotPassword(email: string): Promise<void> {
    return this.http.request("POST", "/auth/password/forgot", { body: { email } });
  }

  /**
   * Sets a new password with the token of a link (what is behind its `#`). All sessions of the account end.
   * @throws MessengerError `TOKEN_INVALID` if the link was used or has expired
   */
  resetPassword(token: string, newPassword: string): Promise<void> {
    return this.http.request("POST", "/auth/password/reset", { body: { token, newPassword } });
  }

  /**
   * Confirms an e-mail address with the token of a link. Call `readProfile` afterwards if the user is logged in.
   * @throws MessengerError `TOKEN_INVALID` if the link was used or has expired
   */
  verifyEmail(token: string): Promise<void> {
    return this.http.request("POST", "/auth/email/verify", { body: { token } });
  }
}

/**
 * Has the server mail the link again that confirms the e-mail address of the logged-in user.
 * @throws MessengerError `CONFLICT` if the address needs no confirmation
 */
export const resendVerification = (messenger: Messenger): Promise<void> => messenger.call("POST", "/auth/email/resend");

/**
 * Reads the account of the logged-in user again: its e-mail address may have been confirmed elsewhere. Updates
 * `messenger.user`.
 * @throws MessengerError
 */
export const readProfile = (messenger: Messenger): Promise<Profile> => messenger.updateProfile();
