import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface FieldProps {
  label: string;
  type?: "text" | "email" | "password";
  autocomplete?: "username" | "current-password" | "new-password" | "given-name" | "family-name";
  maxLength?: number;
  placeholder?: string;
  autofocus?: boolean;
  readOnly?: boolean;
  value: string;
  onInput(value: string): void;
  /** What is wrong with the value. */
  error?: string | undefined;
  hint?: string | undefined;
}

/** A labelled input with its error below. */
export function Field({ label, type = "text", value, onInput, error, hint, ...input }: FieldProps) {
  const [id, noteId] = [useId(), useId()];
  const element = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => focusFirst(element.current), []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        ref={element}
        // The types of Preact want one element for each type of input.
        type={type as "text"}
        id={id}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={error || hint ? noteId : undefined}
      />
      {error ? (
        <p id={noteId} class="error" role="alert">
          {error}
        </p>
      ) : (
        hint && (
          <p id={noteId} class="hint">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** Browsers obey `autofocus` once in a page and a dialog. Later fields are focused here. */
export function focusFirst(element: HTMLInputElement | null): void {
  if (element?.autofocus) element.focus();
}
