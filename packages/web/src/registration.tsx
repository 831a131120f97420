import type { PostAuthRegisterBody } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { Field } from "./ui/field.tsx";
import { FormEnd, useForm } from "./ui/form.tsx";
import { emailProblem, passwordHint, passwordProblem } from "./ui/rules.ts";

const register = (account: PostAuthRegisterBody) => messenger.register(account);

interface RegistrationProps {
  /** Creates the account and logs in. */
  create?(account: PostAuthRegisterBody): Promise<unknown>;
  /** The only address that the invite is for. */
  invitedEmail?: string | undefined;
  onRegistered(): void;
}

/** The form that creates an account. */
export function Registration({ create = register, invitedEmail, onRegistered }: RegistrationProps) {
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [email, setEmail] = useState(invitedEmail ?? "");
  const [password, setPassword] = useState("");
  const send = () =>
    create({
      email: email.trim(),
      password,
      firstName: firstName.trim(),
      ...(lastName.trim() && { lastName: lastName.trim() }),
    });
  const form = useForm({
    fields: {
      firstName: firstName.trim() ? undefined : "Enter your first name.",
      email: emailProblem(email),
      password: passwordProblem(password),
    },
    send,
    onSent: onRegistered,
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
        readOnly={invitedEmail !== undefined}
        hint={invitedEmail === undefined ? undefined : "The invite is for this address."}
      />
      <Field
        label="Password"
        type="password"
        autocomplete="new-password"
        value={password}
        onInput={setPassword}
        error={form.errors.password}
        hint={passwordHint}
      />
      <FormEnd error={form.general} label="Create account" isBusy={form.isBusy} />
    </form>
  );
}
