import { useState } from "preact/hooks";
import { logInNote } from "../log-in-note.ts";
import { messenger } from "../messenger.ts";
import { isOnlyForLinks } from "../only-for-links.ts";
import { navigate } from "../routing.ts";
import { Card } from "../ui/card.tsx";
import { Field } from "../ui/field.tsx";
import { FormEnd, useForm } from "../ui/form.tsx";
import { showNotice } from "../ui/notice.tsx";
import { passwordHint, passwordProblem } from "../ui/rules.ts";
import { useObservable } from "../use-observable.ts";
import { accountLinks, isRejectedLink } from "./account-links.ts";
import { BrokenLink } from "./broken-link.tsx";

/** Chooses the password of an account, and goes on to the log-in. */
export function ResetPage({ token }: { token: string }) {
  const info = useObservable(messenger.info);
  const [password, setPassword] = useState("");
  const [isBroken, setBroken] = useState(token === "");
  const [isDone, setDone] = useState(false);
  const { errors, general, isBusy, submit } = useForm({
    fields: { newPassword: passwordProblem(password) },
    send: async () => {
      try {
        await accountLinks.resetPassword(token, password);
      } catch (error) {
        if (isRejectedLink(error)) setBroken(true);
        throw error;
      }
    },
    onSent: () => {
      if (isOnlyForLinks) return setDone(true);
      logInNote.value = "Your password is set. Log in with it.";
      // For somebody who is logged in here with another account.
      showNotice("The password is set.");
      navigate("/", { replace: true });
    },
  });
  if (isDone) {
    return (
      <Card subtitle="Your password is set.">
        <p>Log in with the app that you use for this server.</p>
      </Card>
    );
  }
  if (isBroken) {
    return (
      <BrokenLink>
        It has expired, was used already, or was replaced by a newer one.{" "}
        {info?.email ? (
          <>
            You can <a href="/forgotten-password">ask for a new link</a>.
          </>
        ) : (
          "Ask an administrator for a new one."
        )}
      </BrokenLink>
    );
  }
  return (
    <Card subtitle="Choose the password of your account.">
      <form onSubmit={submit} noValidate>
        <Field
          label="New password"
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          error={errors.newPassword}
          hint={`${passwordHint} All devices are logged out.`}
          autofocus
        />
        <FormEnd error={general} label="Set password" isBusy={isBusy} />
      </form>
    </Card>
  );
}
