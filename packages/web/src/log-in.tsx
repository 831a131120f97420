import { useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { navigate, route } from "./routing.ts";
import { Field } from "./ui/field.tsx";
import { FormEnd, useForm } from "./ui/form.tsx";
import { useObservable } from "./use-observable.ts";

const minPasswordLength = 8;

/** The card with which one logs in or creates an account. */
export function LogIn({ notice }: { notice: string | undefined }) {
  const isNew = route.value.page === "register";
  const info = useObservable(messenger.info);
  const name = info?.name ?? document.title;
  return (
    <main class="log-in">
      <div class="card">
        <h1>{name}</h1>
        <p class="subtitle">{isNew ? "Create an account to chat." : "Log in to chat."}</p>
        {notice && <p class="note">{notice}</p>}
        {isNew ? <Registration key="new" /> : <LogInForm key="known" />}
        <p class="switch">
          {isNew ? (
            <>
              Already have an account? <a href="/">Log in instead</a>
            </>
          ) : (
            <>
              New here? <a href="/register">Create a new account</a>
            </>
          )}
        </p>
      </div>
    </main>
  );
}

/** Goes on after the log-in: to the chat that a link has named, or to the list. */
function leave(): void {
  const { page } = route.value;
  if (page !== "chat" && page !== "dialog") navigate("/", { replace: true });
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
    onSent: leave,
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

function Registration() {
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const register = () =>
    messenger.register({
      email: email.trim(),
      password,
      firstName: firstName.trim(),
      ...(lastName.trim() && { lastName: lastName.trim() }),
    });
  const form = useForm({
    fields: {
      firstName: firstName.trim() ? undefined : "Enter your first name.",
      email: /^[^\s@]+@[^\s@]+$/u.test(email.trim()) ? undefined : "Enter an e-mail address, such as ann@example.org.",
      password: password.length >= minPasswordLength ? undefined : `Use at least ${minPasswordLength} characters.`,
    },
    send: register,
    onSent: leave,
  });
  return (
    <form onSubmit={form.submit} noValidate>
      <div class="columns">
        <Field
          label="First name"
          autocomplete="given-name"
          value={firstName}
          onInput={setFirstName}
          error={form.errors.firstName}
          maxLength={64}
          autofocus
        />
        <Field
          label="Last name"
          autocomplete="family-name"
          value={lastName}
          onInput={setLastName}
          error={form.errors.lastName}
          maxLength={64}
          placeholder="Optional"
        />
      </div>
      <Field
        label="E-mail"
        type="email"
        autocomplete="username"
        value={email}
        onInput={setEmail}
        error={form.errors.email}
      />
      <Field
        label="Password"
        type="password"
        autocomplete="new-password"
        value={password}
        onInput={setPassword}
        error={form.errors.password}
        hint={`At least ${minPasswordLength} characters.`}
      />
      <FormEnd error={form.general} label="Create account" isBusy={form.isBusy} />
    </form>
  );
}
