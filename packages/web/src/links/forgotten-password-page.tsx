import { useState } from "preact/hooks";
import { Card } from "../ui/card.tsx";
import { Field } from "../ui/field.tsx";
import { FormEnd, useForm } from "../ui/form.tsx";
import { emailProblem } from "../ui/rules.ts";
import { accountLinks } from "./account-links.ts";
import { ToLogIn } from "./broken-link.tsx";

/** Has the server mail a link to choose a new password. It does not say whether there is such an account. */
export function ForgottenPasswordPage() {
  const [email, setEmail] = useState("");
  const [isSent, setSent] = useState(false);
  const { errors, general, isBusy, submit } = useForm({
    fields: { email: emailProblem(email) },
    send: () => accountLinks.forgotPassword(email.trim()),
    onSent: () => setSent(true),
  });
  if (isSent) {
    return (
      <Card subtitle="Look into your mailbox.">
        <p role="status">
          If there is an account with the address <bdi>{email.trim()}</bdi>, a link to choose a new password is on its
          way to it. The link works for 30 minutes.
        </p>
        <ToLogIn />
      </Card>
    );
  }
  return (
    <Card subtitle="Get a link to choose a new password.">
      <form onSubmit={submit} noValidate>
        <Field
          label="E-mail"
          type="email"
          autocomplete="username"
          value={email}
          onInput={setEmail}
          error={errors.email}
          autofocus
        />
        <FormEnd error={general} label="Send link" isBusy={isBusy} />
      </form>
      <ToLogIn />
    </Card>
  );
}
