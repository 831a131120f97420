import type { Person } from "messenger-client";
import { useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { fullName, PeopleSearch } from "./people-search.tsx";

/** Opens a dialog with somebody, or creates a group. */
export function NewChatDialog({ onClose }: { onClose(): void }) {
  const [isGroup, setGroup] = useState(false);
  const openDialog = ({ id }: Person) => {
    onClose();
    navigate(chatPath(messenger.dialogWith(id).summary.value));
  };
  return (
    <Dialog title="New chat" onClose={onClose}>
      {isGroup ? (
        <NewGroup onClose={onClose} />
      ) : (
        <>
          <button type="button" class="result result-action" onClick={() => setGroup(true)}>
            <Icon name="people" />
            New group
          </button>
          <PeopleSearch onChoose={openDialog} />
        </>
      )}
    </Dialog>
  );
}

function NewGroup({ onClose }: { onClose(): void }) {
  const [name, setName] = useState("");
  const [members, setMembers] = useState<readonly Person[]>([]);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const toggle = (person: Person) =>
    setMembers((before) =>
      before.some(({ id }) => id === person.id) ? before.filter(({ id }) => id !== person.id) : [...before, person],
    );
  const create = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    if (!name.trim()) {
      setError("Give the group a name.");
      return;
    }
    setBusy(true);
    try {
      const chat = await messenger.createGroup({ name: name.trim(), userIds: members.map(({ id }) => id) });
      onClose();
      navigate(`/chats/${chat.id}`);
    } catch (failure) {
      setError(errorText(failure));
      setBusy(false);
    }
  };
  return (
    <form class="new-group" onSubmit={create} noValidate>
      <Field label="Group name" value={name} onInput={setName} error={error} maxLength={64} autofocus />
      {members.length > 0 && (
        <p class="members-chosen">
          {members.map((person) => (
            <button
              key={person.id}
              type="button"
              class="chip"
              aria-label={`Remove ${fullName(person)}`}
              onClick={() => toggle(person)}
            >
              {fullName(person)} <Icon name="close" />
            </button>
          ))}
        </p>
      )}
      <PeopleSearch chosen={members} autofocus={false} onChoose={toggle} />
      <div class="actions">
        <button type="submit" class="button button-primary" aria-disabled={isBusy}>
          Create group
        </button>
      </div>
    </form>
  );
}
