import type { PostAuthRegisterBody } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { Field } from "./ui/field.tsx";
import { FormEnd, useForm, useValues } from "./ui/form.tsx";
import { NameFields, trimmedName } from "./ui/name-fields.tsx";
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
  const [name, changeName] = useValues({ firstName: "", lastName: "" });
  const [email, setEmail] = useState(invitedEmail ?? "");
  const [password, setPassword] = useState("");
  const { firstName, lastName } = trimmedName(name);
  const send = () => create({ email: email.trim(), password, firstName, ...(lastName && { lastName }) });
  const form = useForm({
    fields: {
      firstName: firstName ? undefined : "Enter your first name.",
      email: emailProblem(email),
      password: passwordProblem(password),
    },
    send,
    onSent: onRegistered,
  });
  return (
    <form onSubmit={form.submit} noValidate>
      <NameFields value={name} onInput={changeName} errors={form.errors} startsForm isOwn />
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
