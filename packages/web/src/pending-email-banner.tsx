import { MessengerError } from "messenger-client";
import { readProfile, resendVerification } from "messenger-client/account";
import { useEffect } from "preact/hooks";
import { errorText } from "./errors.ts";
import { messenger } from "./messenger.ts";
import { showNotice } from "./ui/notice.tsx";
import { useObservable } from "./use-observable.ts";

/** A line for users who have not confirmed their e-mail address. */
export function PendingEmailBanner() {
  const user = useObservable(messenger.user);
  useProfileOfOtherTabs();
  if (!user?.pendingEmail) return null;
  const { email, pendingEmail } = user;
  const resend = async () => {
    try {
      await resendVerification(messenger);
      showNotice(`The mail is on its way to ${pendingEmail}.`);
    } catch (error) {
      // Confirmed in the meantime.
      if (error instanceof MessengerError && error.code === "CONFLICT") await readAgain();
      else showNotice(errorText(error));
    }
  };
  const keep = async () => {
    try {
      await messenger.updateProfile({ email });
      showNotice(`Your e-mail address is still ${email}.`);
    } catch (error) {
      showNotice(errorText(error));
    }
  };
  return (
    <p class="banner">
      {pendingEmail === email
        ? "Confirm your e-mail address to write messages: open the link in the mail to "
        : "Confirm your new e-mail address: open the link in the mail to "}
      <bdi>{pendingEmail}</bdi>.{" "}
      <button type="button" class="link-button" onClick={() => void resend()}>
        Send the mail again
      </button>{" "}
      {pendingEmail !== email && (
        <button type="button" class="link-button" onClick={() => void keep()}>
          Keep the present address
        </button>
      )}
    </p>
  );
}

/** Reads the profile when the page is looked at again: the link may have been opened in another tab. */
function useProfileOfOtherTabs(): void {
  useEffect(() => {
    const onChange = () => {
      if (document.visibilityState === "visible") void readAgain();
    };
    onChange();
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }, []);
}

const readAgain = () => readProfile(messenger).catch(() => {}); // The next change of visibility reads it.
