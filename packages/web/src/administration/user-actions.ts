import type { ManagedUser, PatchAdminUsersIdBody, PostAdminUsersIdResetPasswordAnswer } from "messenger-client";
import { fullName } from "../chats/people-search.tsx";
import { messenger } from "../messenger.ts";
import type { MenuItem } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import type { useQuestion } from "./use-question.tsx";

interface UserActionOptions {
  /** Whether it is the administrator's own account. */
  isMe: boolean;
  ask: ReturnType<typeof useQuestion>["ask"];
  /** Asks for other names or another e-mail address. */
  edit(): void;
  change(body: PatchAdminUsersIdBody): Promise<void>;
  onDeleted(): void;
  onLink(link: PostAdminUsersIdResetPasswordAnswer): void;
}

/** What an administrator can do with an account. What has consequences is asked about before. */
export function userActions(user: ManagedUser, options: UserActionOptions): MenuItem[] {
  const { isMe, ask, edit, change, onDeleted, onLink } = options;
  const name = fullName(user);
  const path = `/admin/users/${user.id}`;
  const remove = async (query: string, notice: string) => {
    await messenger.call("DELETE", path + query);
    onDeleted();
    showNotice(notice);
  };

  const resetPassword: MenuItem = {
    label: "Reset password",
    run: () =>
      ask({
        title: `Reset the password of ${name}?`,
        text: "All devices are logged out. You get a link with which a new password is chosen; until then the old one still works.",
        action: "Reset password",
        run: async () => onLink(await messenger.call("POST", `${path}/reset-password`)),
      }),
  };
  const role: MenuItem =
    user.role === "admin"
      ? {
          label: "Remove administrator",
          run: () =>
            ask({
              title: `Remove ${name} from the administrators?`,
              text: "The account stays, as that of a user.",
              action: "Remove administrator",
              run: () => change({ role: "user" }),
            }),
        }
      : {
          label: "Make administrator",
          run: () =>
            ask({
              title: `Make ${name} an administrator?`,
              text: "Administrators manage all accounts and groups, but do not read messages of other people.",
              action: "Make administrator",
              isDangerous: false,
              run: () => change({ role: "admin" }),
            }),
        };
  // One's own account is changed and deleted in the settings.
  if (isMe) return [role];

  const suspension: MenuItem = user.suspendedAt
    ? {
        label: "Resume account",
        run: () =>
          ask({
            title: `Resume the account of ${name}?`,
            text: "This person can log in again.",
            action: "Resume account",
            isDangerous: false,
            run: () => change({ suspended: false }),
          }),
      }
    : {
        label: "Suspend account",
        run: () =>
          ask({
            title: `Suspend the account of ${name}?`,
            text: "All devices are logged out, and nobody can log in until you resume the account. Nothing is deleted.",
            action: "Suspend account",
            run: () => change({ suspended: true }),
          }),
      };
  const deletion: MenuItem = {
    label: "Delete account",
    isDangerous: true,
    run: () =>
      ask({
        title: `Delete the account of ${name}?`,
        text: 'Name, e-mail address and password are erased. The messages stay, with the sender "Deleted user". This cannot be undone.',
        action: "Delete account",
        run: () => remove("", "The account is deleted."),
      }),
  };
  const erasure: MenuItem = {
    label: "Delete account and messages",
    isDangerous: true,
    run: () =>
      ask({
        title: `Delete the account and all messages of ${name}?`,
        text: "The account is deleted at once, and its messages in the background, in all chats and on all devices. This cannot be undone.",
        action: "Delete account and messages",
        run: () => remove("?erase=true", "The account is deleted. Its messages are being deleted."),
      }),
  };
  const changeNames: MenuItem = { label: "Change name or e-mail", run: edit };
  return [changeNames, resetPassword, role, suspension, deletion, erasure];
}
