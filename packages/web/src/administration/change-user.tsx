import type { ManagedUser, PatchAdminUsersIdBody } from "messenger-client";
import { Dialog } from "../ui/dialog.tsx";
import { FormEnd, useForm } from "../ui/form.tsx";
import { useAccountFields } from "./account-fields.tsx";

interface ChangeUserProps {
  user: ManagedUser;
  change(body: PatchAdminUsersIdBody): Promise<void>;
  onClose(): void;
}

/** Changes the names and the e-mail address of an account. */
export function ChangeUser({ user, change, onClose }: ChangeUserProps) {
  const { firstName, lastName, email } = user;
  const { values, problems, show } = useAccountFields({ firstName, lastName: lastName ?? "", email });
  const { errors, general, isBusy, submit } = useForm({
    fields: problems,
    send: () => change({ ...values, lastName: values.lastName || null }),
    onSent: onClose,
  });
  return (
    <Dialog title="Change account" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        {show(errors)}
        <FormEnd error={general} label="Save" isBusy={isBusy} />
      </form>
    </Dialog>
  );
}
