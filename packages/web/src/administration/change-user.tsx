import type { ManagedUser, PatchAdminUsersIdBody } from "messenger-client";
import { Dialog } from "../ui/dialog.tsx";
import { FormEnd, useForm, useValues } from "../ui/form.tsx";
import { AccountFields, accountProblems, trimmedAccount } from "./account-fields.tsx";

interface ChangeUserProps {
  user: ManagedUser;
  change(body: PatchAdminUsersIdBody): Promise<void>;
  onClose(): void;
}

/** Changes the names and the e-mail address of an account. */
export function ChangeUser({ user, change, onClose }: ChangeUserProps) {
  const { firstName, lastName, email } = user;
  const [account, changeAccount] = useValues({ firstName, lastName: lastName ?? "", email });
  const { errors, general, isBusy, submit } = useForm({
    fields: accountProblems(account),
    send: () => {
      const values = trimmedAccount(account);
      return change({ ...values, lastName: values.lastName || null });
    },
    onSent: onClose,
  });
  return (
    <Dialog title="Change account" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <AccountFields value={account} onInput={changeAccount} errors={errors} />
        <FormEnd error={general} label="Save" isBusy={isBusy} />
      </form>
    </Dialog>
  );
}
