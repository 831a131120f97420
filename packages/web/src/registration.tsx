import { useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { Field } from "./ui/field.tsx";
import { FormEnd, useForm } from "./ui/form.tsx";

const minPasswordLength = 8;

interface RegistrationProps {
  /** The token of an invite. */
  invite?: string;
  /** The only address that the invite is for. */
  invitedEmail?: string | undefined;
  onRegistered(): void;
}

/** The form that creates an account. */
export function Registration({ invite, invitedEmail, onRegistered }: RegistrationProps) {
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [email, setEmail] = useState(invitedEmail ?? "");
  const [password, setPassword] = useState("");
  const register = () =>
    messenger.register({
      email: email.trim(),
      password,
      firstName: firstName.trim(),
      ...(lastName.trim() && { lastName: lastName.trim() }),
      ...(invite !== undefined && { invite }),
    });
  const form = useForm({
    fields: {
      firstName: firstName.trim() ? undefined : "Enter your first name.",
      email: /^[^\s@]+@[^\s@]+$/u.test(email.trim()) ? undefined : "Enter an e-mail address, such as ann@example.org.",
      password: password.length >= minPasswordLength ? undefined : `Use at least ${minPasswordLength} characters.`,
    },
    send: register,
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
        hint={`At least ${minPasswordLength} characters.`}
      />
      <FormEnd error={form.general} label="Create account" isBusy={form.isBusy} />
    </form>
  );
}
