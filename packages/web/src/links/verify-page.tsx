import { useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { isOnlyForLinks } from "../only-for-links.ts";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useObservable } from "../use-observable.ts";
import { accountLinks, isRejectedLink } from "./account-links.ts";
import { BrokenLink } from "./broken-link.tsx";

/** Confirms an e-mail address. A press of the button is needed: programs that check mails open links, too. */
export function VerifyPage({ token }: { token: string }) {
  const user = useObservable(messenger.user);
  const [state, setState] = useState<"asking" | "busy" | "done" | "broken">(token ? "asking" : "broken");
  const [error, setError] = useState<string>();
  const confirm = async () => {
    if (state !== "asking") return;
    setState("busy");
    setError(undefined);
    try {
      await accountLinks.verifyEmail(token);
      setState("done");
      if (messenger.user.value) await messenger.updateProfile().catch(() => {}); // Read again by the banner.
    } catch (failure) {
      setError(errorText(failure));
      setState(isRejectedLink(failure) ? "broken" : "asking");
    }
  };
  if (state === "broken") {
    return (
      <BrokenLink>
        It has expired, was used already, or was replaced by a newer one. If your address is not confirmed yet, log in
        and send the mail again.
      </BrokenLink>
    );
  }
  if (state === "done") {
    return (
      <Card subtitle="Your e-mail address is confirmed.">
        {isOnlyForLinks ? (
          <p>You can close this page.</p>
        ) : (
          <p class="switch">
            <a href="/">{user ? "Go to your chats" : "Go to the log-in"}</a>
          </p>
        )}
      </Card>
    );
  }
  return (
    <Card subtitle="Confirm that this e-mail address is yours.">
      {error && <ErrorNote>{error}</ErrorNote>}
      <button
        type="button"
        class="button button-primary"
        aria-disabled={state === "busy"}
        onClick={() => void confirm()}
      >
        Confirm address
      </button>
    </Card>
  );
}
