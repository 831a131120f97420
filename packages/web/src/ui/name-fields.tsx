import { Field } from "./field.tsx";

/** The name of a person as it is typed. */
export interface PersonName {
  firstName: string;
  lastName: string;
}

interface NameFieldsProps {
  value: PersonName;
  onInput(change: Partial<PersonName>): void;
  /** By the names of the fields. */
  errors: Readonly<Record<string, string | undefined>>;
  /** Whether a form begins with them: then the first one has the focus, and the other one says that it is optional. */
  startsForm?: boolean;
  /** Whether browsers fill in the name of their user. */
  isOwn?: boolean;
}

/** The fields of a person's name. */
export function NameFields({ value, onInput, errors, startsForm = false, isOwn = false }: NameFieldsProps) {
  return (
    <div class="columns">
      <Field
        label="First name"
        {...(isOwn && { autocomplete: "given-name" })}
        value={value.firstName}
        onInput={(firstName) => onInput({ firstName })}
        error={errors.firstName}
        maxLength={64}
        autofocus={startsForm}
      />
      <Field
        label="Last name"
        {...(isOwn && { autocomplete: "family-name" })}
        value={value.lastName}
        onInput={(lastName) => onInput({ lastName })}
        error={errors.lastName}
        maxLength={64}
        {...(startsForm && { placeholder: "Optional" })}
      />
    </div>
  );
}

/** A name without spaces around it. */
export const trimmedName = ({ firstName, lastName }: PersonName): PersonName => ({
  firstName: firstName.trim(),
  lastName: lastName.trim(),
});
