import { type ManagedGroup, type ManagedUser, MessengerError } from "messenger-client";
import { useState } from "preact/hooks";
import { PersonAvatar } from "../avatars/avatars.tsx";
import { fullName } from "../chats/people-search.tsx";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { showNotice } from "../ui/notice.tsx";
import { SearchField } from "./toolbar.tsx";
import { usePages } from "./use-pages.ts";
import { useQuestion } from "./use-question.tsx";

interface NewOwnerProps {
  group: ManagedGroup;
  onChanged(ownerId: number): void;
  onClose(): void;
}

/** Finds the account that becomes the owner of a group. */
export function NewOwner({ group, onChanged, onClose }: NewOwnerProps) {
  const [search, setSearch] = useState("");
  const [error, setError] = useState<string>();
  const { items, error: readError } = usePages<ManagedUser>("/admin/users", { search });
  const { ask, question } = useQuestion();
  const others = items?.filter(({ id }) => id !== group.ownerId);
  const choose = async (user: ManagedUser) => {
    try {
      await messenger.call("PUT", `/admin/groups/${group.id}/owner`, { userId: user.id });
      onChanged(user.id);
      onClose();
      showNotice(`${fullName(user)} is the owner now.`);
    } catch (failure) {
      const isNotFound = failure instanceof MessengerError && failure.code === "NOT_FOUND";
      setError(isNotFound ? `${fullName(user)} is not a member of this group.` : errorText(failure));
    }
  };
  return (
    <Dialog title="Change owner" onClose={onClose}>
      <p>
        Choose a member of <bdi>{group.name}</bdi>. The owner so far becomes an admin of the group.
      </p>
      <SearchField label="Find members" onSearch={setSearch} />
      <div class="result-list">
        {others?.map((user) => (
          <button
            key={user.id}
            type="button"
            class="result"
            onClick={() =>
              ask({
                title: `Make ${fullName(user)} the owner?`,
                text: "The members of the group see who has done it.",
                action: "Make owner",
                isDangerous: false,
                run: () => choose(user),
              })
            }
          >
            <PersonAvatar name={fullName(user)} userId={user.id} />
            <span>
              <bdi>{fullName(user)}</bdi>
              <span class="hint hint-line">
                <bdi>{user.email}</bdi>
              </span>
            </span>
          </button>
        ))}
      </div>
      {others?.length === 0 && <p class="empty">No other account is like this.</p>}
      {(error ?? readError) && <ErrorNote>{error ?? readError}</ErrorNote>}
      {question}
    </Dialog>
  );
}
