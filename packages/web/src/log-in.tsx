import { useState } from "preact/hooks";
import { InvitePage, LinkPages, Registration } from "./lazy-pages.tsx";
import { logInNote } from "./log-in-note.ts";
import { messenger } from "./messenger.ts";
import { route, showChats } from "./routing.ts";
import { Card, LogInInstead } from "./ui/card.tsx";
import { Field } from "./ui/field.tsx";
import { FormEnd, useForm } from "./ui/form.tsx";
import { useObservable } from "./use-observable.ts";

/** What somebody sees who is not logged in: the log-in, or the page of a link. */
export function LogIn({ notice }: { notice: string | undefined }) {
  const current = route.value;
  const info = useObservable(messenger.info);
  if (current.page === "invite") return <InvitePage key={current.token} token={current.token} />;
  if (current.page === "register") return <RegistrationPage policy={info?.registration} />;
  if (current.page === "forgotten-password" || "token" in current) return <LinkPages current={current} />;
  const note = logInNote.value ?? notice;
  return (
    <Card subtitle="Log in to chat.">
      {note && <p class="note">{note}</p>}
      <LogInForm />
      {info?.email && (
        <p class="switch">
          <a href="/forgotten-password">Forgotten password?</a>
        </p>
      )}
      {info?.registration === "open" && (
        <p class="switch">
          New here? <a href="/register">Create a new account</a>
        </p>
      )}
    </Card>
  );
}

/** @param policy undefined until the server has said it */
function RegistrationPage({ policy = "open" }: { policy: string | undefined }) {
  if (policy === "open") {
    return (
      <Card subtitle="Create an account to chat.">
        <Registration onRegistered={showChats} />
        <LogInInstead />
      </Card>
    );
  }
  return (
    <Card subtitle={policy === "invite" ? "Accounts are by invite only." : "New accounts are not accepted here."}>
      {policy === "invite" && <p>Ask somebody who is here for an invite, and open its link.</p>}
      <LogInInstead />
    </Card>
  );
}

function LogInForm() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const form = useForm({
    fields: {
      email: email.trim() ? undefined : "Enter your e-mail address.",
      password: password ? undefined : "Enter your password.",
    },
    send: () => messenger.login({ email: email.trim(), password }),
    onSent: () => {
      logInNote.value = undefined;
      showChats();
    },
  });
  return (
    <form onSubmit={form.submit} noValidate>
      <Field
        label="E-mail"
        type="email"
        autocomplete="username"
        value={email}
        onInput={setEmail}
        error={form.errors.email}
        autofocus
      />
      <Field
        label="Password"
        type="password"
        autocomplete="current-password"
        value={password}
        onInput={setPassword}
        error={form.errors.password}
      />
      <FormEnd error={form.general} label="Log in" isBusy={form.isBusy} />
    </form>
  );
}
