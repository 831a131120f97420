import { Field } from "../ui/field.tsx";
import { NameFields, type PersonName, trimmedName } from "../ui/name-fields.tsx";
import { emailProblem } from "../ui/rules.ts";

/** What administrators type of an account. */
export interface AccountValues extends PersonName {
  email: string;
}

interface AccountFieldsProps {
  value: AccountValues;
  onInput(change: Partial<AccountValues>): void;
  errors: Readonly<Record<string, string | undefined>>;
  emailHint?: string;
}

/** The fields of the name and the e-mail address of an account. */
export function AccountFields({ value, onInput, errors, emailHint }: AccountFieldsProps) {
  return (
    <>
      <NameFields value={value} onInput={onInput} errors={errors} startsForm />
      <Field
        label="E-mail"
        type="email"
        value={value.email}
        onInput={(email) => onInput({ email })}
        error={errors.email}
        hint={emailHint}
      />
    </>
  );
}

/** What is wrong with each field. */
export const accountProblems = ({ firstName, email }: AccountValues) => ({
  firstName: firstName.trim() ? undefined : "Enter the first name.",
  lastName: undefined,
  email: emailProblem(email),
});

/** The values without spaces around them. */
export const trimmedAccount = (value: AccountValues): AccountValues => ({
  ...trimmedName(value),
  email: value.email.trim(),
});
