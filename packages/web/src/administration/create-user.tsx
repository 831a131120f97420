import type { PostAdminUsersAnswer, PostAdminUsersBody } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";
import { FormEnd, useForm, useValues } from "../ui/form.tsx";
import { AccountFields, accountProblems, trimmedAccount } from "./account-fields.tsx";

/** Creates an account, whose owner chooses the password with the link that follows. */
export function CreateUser({
  onCreated,
  onClose,
}: {
  onCreated(created: PostAdminUsersAnswer): void;
  onClose(): void;
}) {
  const [account, changeAccount] = useValues({ firstName: "", lastName: "", email: "" });
  const [isAdmin, setAdmin] = useState(false);
  const { errors, general, isBusy, submit } = useForm({
    fields: accountProblems(account),
    send: async () => {
      const { lastName, ...others } = trimmedAccount(account);
      const body: PostAdminUsersBody = {
        ...others,
        ...(lastName && { lastName }),
        role: isAdmin ? "admin" : "user",
      };
      onCreated(await messenger.call<PostAdminUsersAnswer>("POST", "/admin/users", body));
    },
    onSent: () => {},
  });
  return (
    <Dialog title="Create account" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <AccountFields
          value={account}
          onInput={changeAccount}
          errors={errors}
          emailHint="You get a link with which this person chooses the password."
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
