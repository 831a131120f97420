import type { PostAdminUsersAnswer, PostAdminUsersBody } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { FormEnd, useForm } from "../ui/form.tsx";
import { emailProblem } from "../ui/rules.ts";

/** Creates an account, whose owner chooses the password with the link that follows. */
export function CreateUser({
  onCreated,
  onClose,
}: {
  onCreated(created: PostAdminUsersAnswer): void;
  onClose(): void;
}) {
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [email, setEmail] = useState("");
  const [isAdmin, setAdmin] = useState(false);
  const { errors, general, isBusy, submit } = useForm({
    fields: { firstName: firstName.trim() ? undefined : "Enter the first name.", email: emailProblem(email) },
    send: async () => {
      const body: PostAdminUsersBody = {
        email: email.trim(),
        firstName: firstName.trim(),
        ...(lastName.trim() && { lastName: lastName.trim() }),
        role: isAdmin ? "admin" : "user",
      };
      onCreated(await messenger.call<PostAdminUsersAnswer>("POST", "/admin/users", body));
    },
    onSent: () => {},
  });
  return (
    <Dialog title="Create account" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <div class="columns">
          <Field
            label="First name"
            value={firstName}
            onInput={setFirstName}
            error={errors.firstName}
            maxLength={64}
            autofocus
          />
          <Field
            label="Last name"
            value={lastName}
            onInput={setLastName}
            error={errors.lastName}
            maxLength={64}
            placeholder="Optional"
          />
        </div>
        <Field
          label="E-mail"
          type="email"
          value={email}
          onInput={setEmail}
          error={errors.email}
          hint="You get a link with which this person chooses the password."
        />
        <label class="toggle">
          <input type="checkbox" checked={isAdmin} onChange={(event) => setAdmin(event.currentTarget.checked)} />
          Administrator of this server
        </label>
        <FormEnd error={general} label="Create account" isBusy={isBusy} />
      </form>
    </Dialog>
  );
}
