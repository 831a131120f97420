import type { GetAdminUsersQuery, ManagedUser, PatchAdminUsersIdBody } from "messenger-client";
import { useState } from "preact/hooks";
import { urlOf } from "../avatars/avatars.tsx";
import { fullName } from "../chats/people-search.tsx";
import { lastSeen } from "../dates.ts";
import { messenger } from "../messenger.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { LinkToCopy } from "../ui/link-to-copy.tsx";
import { ChangeUser } from "./change-user.tsx";
import { CreateUser } from "./create-user.tsx";
import { count, formatTime } from "./format.ts";
import { ManagedList } from "./managed-list.tsx";
import { RowMenu } from "./row-menu.tsx";
import { Choice, SearchField } from "./toolbar.tsx";
import { usePages } from "./use-pages.ts";
import { useQuestion } from "./use-question.tsx";
import { userActions } from "./user-actions.ts";

const roles = [
  ["", "All roles"],
  ["admin", "Administrators"],
  ["user", "Users"],
] as const;
const statuses = [
  ["", "All accounts"],
  ["active", "Active"],
  ["suspended", "Suspended"],
] as const;

/** A link with which somebody chooses a password. */
interface PasswordLink {
  user: ManagedUser;
  url: string;
  expiresAt: string;
}

/** The accounts of the server. */
export function UsersSection() {
  const [search, setSearch] = useState("");
  const [role, setRole] = useState("");
  const [status, setStatus] = useState("");
  const [isCreating, setCreating] = useState(false);
  const [link, setLink] = useState<PasswordLink>();
  const query = { search, role, status } as GetAdminUsersQuery;
  const pages = usePages<ManagedUser>("/admin/users", query);
  const { ask, question } = useQuestion();
  const [changing, setChanging] = useState<ManagedUser>();
  const isMe = ({ id }: ManagedUser) => id === messenger.user.value?.id;
  const change = async (user: ManagedUser, body: PatchAdminUsersIdBody) => {
    pages.replace(await messenger.call<ManagedUser>("PATCH", `/admin/users/${user.id}`, body));
    if (isMe(user)) await messenger.updateProfile();
  };
  return (
    <>
      <div class="toolbar">
        <SearchField label="Find accounts" onSearch={setSearch} />
        <Choice label="Role" options={roles} value={role} onChoose={setRole} />
        <Choice label="Status" options={statuses} value={status} onChoose={setStatus} />
        <button type="button" class="button button-primary" onClick={() => setCreating(true)}>
          Create account
        </button>
      </div>
      <ManagedList label="Accounts" pages={pages} empty="No account is like this.">
        {(user) => (
          <>
            <Avatar name={fullName(user)} id={user.id} url={urlOf(user.avatarId)} size="small" />
            <UserText user={user} />
            <RowMenu
              name={fullName(user)}
              items={userActions(user, {
                isMe: isMe(user),
                ask,
                edit: () => setChanging(user),
                change: (body) => change(user, body),
                onDeleted: () => pages.remove(user.id),
                onLink: (answer) => setLink({ user, ...answer }),
              })}
            />
          </>
        )}
      </ManagedList>
      {question}
      {changing && (
        <ChangeUser user={changing} change={(body) => change(changing, body)} onClose={() => setChanging(undefined)} />
      )}
      {isCreating && (
        <CreateUser
          onCreated={(created) => {
            setCreating(false);
            setLink(created);
            void pages.reload();
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {link && (
        <Dialog title="Link to choose a password" onClose={() => setLink(undefined)}>
          <LinkToCopy url={link.url} onClose={() => setLink(undefined)}>
            Send this link to <bdi>{fullName(link.user)}</bdi> in a way that nobody else can read: anybody with it can
            use the account. It works once, until {formatTime(link.expiresAt)}.
          </LinkToCopy>
        </Dialog>
      )}
    </>
  );
}

function UserText({ user }: { user: ManagedUser }) {
  const { email, role, suspendedAt, lastSeenAt, sessions, messages } = user;
  const use = [
    count(sessions, "session", "sessions"),
    count(messages, "message", "messages"),
    lastSeenAt ? lastSeen(lastSeenAt) : "never seen",
  ];
  return (
    <span>
      <span class="managed-name">
        <bdi>{fullName(user)}</bdi>
        {role === "admin" && <span class="tag">Administrator</span>}
        {suspendedAt && <span class="tag tag-danger">Suspended</span>}
      </span>
      <span class="hint hint-line">
        <bdi>{email}</bdi>
      </span>
      <span class="hint hint-line">{use.join(" · ")}</span>
    </span>
  );
}
