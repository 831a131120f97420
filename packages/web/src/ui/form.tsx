import { useState } from "preact/hooks";
import { errorField, errorText } from "../errors.ts";
import { ErrorNote } from "./error-note.tsx";

interface FormOptions {
  /** What is wrong with each field before it is sent, by its name; undefined for those that are right. */
  fields: Readonly<Record<string, string | undefined>>;
  send(): Promise<unknown>;
  onSent(): void;
}

/** The values of some fields. A change is merged into the latest ones: browsers fill in several fields at once. */
export function useValues<T extends object>(initial: T): [values: T, change: (part: Partial<T>) => void] {
  const [values, setValues] = useState(initial);
  return [values, (part) => setValues((before) => ({ ...before, ...part }))];
}

/** Submits a form, once at a time. Has the errors of its fields, and in `general` those that belong to none. */
export function useForm({ fields, send, onSent }: FormOptions) {
  const [errors, setErrors] = useState<FormOptions["fields"]>({});
  const [general, setGeneral] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setGeneral(undefined);
    setErrors(fields);
    if (Object.values(fields).some((problem) => problem !== undefined)) return;
    setBusy(true);
    try {
      await send();
      onSent();
    } catch (error) {
      const field = errorField(error);
      if (field !== undefined && field in fields) setErrors({ [field]: errorText(error) });
      else setGeneral(errorText(error));
    } finally {
      setBusy(false);
    }
  };
  return { errors, general, isBusy, submit };
}

/** The end of a form: the error that belongs to no field, and the button. */
export function FormEnd({ error, label, isBusy }: { error: string | undefined; label: string; isBusy: boolean }) {
  return (
    <>
      {error && <ErrorNote>{error}</ErrorNote>}
      <button type="submit" class="button button-primary" aria-disabled={isBusy}>
        {label}
      </button>
    </>
  );
}
