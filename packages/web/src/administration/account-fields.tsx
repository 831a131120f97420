import { useState } from "preact/hooks";
import { Field } from "../ui/field.tsx";
import { emailProblem } from "../ui/rules.ts";

interface AccountNames {
  firstName: string;
  lastName: string;
  email: string;
}

/** The names and the e-mail address of an account in a form. */
export function useAccountFields(before: AccountNames) {
  const [firstName, setFirstName] = useState(before.firstName);
  const [lastName, setLastName] = useState(before.lastName);
  const [email, setEmail] = useState(before.email);
  const values: AccountNames = { firstName: firstName.trim(), lastName: lastName.trim(), email: email.trim() };
  const problems = {
    firstName: values.firstName ? undefined : "Enter the first name.",
    lastName: undefined,
    email: emailProblem(email),
  };
  const show = (errors: Readonly<Record<string, string | undefined>>, emailHint?: string) => (
    <>
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
        {...(emailHint !== undefined && { hint: emailHint })}
      />
    </>
  );
  return { values, problems, show };
}
