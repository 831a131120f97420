import type { Chat, ChatSummary, Message, Person } from "messenger-client";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ChatAvatar, PersonAvatar } from "../avatars/avatars.tsx";
import { matching } from "../chats/chat-list.tsx";
import { fullName } from "../chats/people-search.tsx";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { useObservable } from "../use-observable.ts";

const maxChats = 30;
const maxPeople = 20;
const searchDelayMs = 200;

/** Chooses the chat or the person that a message is forwarded to, and opens that chat. */
export function ForwardDialog({ message, onClose }: { message: Message; onClose(): void }) {
  const chats = useObservable(messenger.chats);
  const [search, setSearch] = useState("");
  const { people, error } = usePeople(search);
  const found = matching(chats, search).slice(0, maxChats);
  // People who are in the list of chats are found there.
  const others = people.filter(({ id }) => !chats.some(({ peer }) => peer?.id === id));
  const forwardTo = (chat: Chat) => {
    onClose();
    chat.forward(message);
    navigate(chatPath(chat.summary.value));
  };
  return (
    <Dialog title="Forward to" onClose={onClose}>
      <input
        type="search"
        class="dialog-search"
        aria-label="Find a chat or a person"
        placeholder="Name of a chat or a person"
        autofocus
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="result-list">
        {found.map((summary) => (
          <Target
            key={chatPath(summary)}
            name={summary.title}
            avatar={<ChatAvatar chat={summary} size="small" />}
            onChoose={() => forwardTo(chatOf(summary))}
          />
        ))}
        {others.map((person) => (
          <Target
            key={`person ${person.id}`}
            name={fullName(person)}
            avatar={<PersonAvatar name={fullName(person)} userId={person.id} />}
            onChoose={() => forwardTo(messenger.dialogWith(person.id))}
          />
        ))}
      </div>
      {error && <ErrorNote>{error}</ErrorNote>}
      {!error && found.length + others.length === 0 && <p class="empty">No chat and nobody has this name.</p>}
    </Dialog>
  );
}

function Target({ name, avatar, onChoose }: { name: string; avatar: ComponentChildren; onChoose(): void }) {
  return (
    <button type="button" class="result" onClick={onChoose}>
      {avatar}
      <span dir="auto">{name}</span>
    </button>
  );
}

const chatOf = ({ peer, id }: ChatSummary): Chat => (peer ? messenger.dialogWith(peer.id) : messenger.chat(id ?? 0));

/** The people whom the server finds for a text, some time after it was typed. */
function usePeople(search: string): { people: readonly Person[]; error: string | undefined } {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [error, setError] = useState<string>();
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const result = await messenger.people.search(search.trim(), { limit: maxPeople }).then(
        ({ data }) => ({ data, failure: undefined }),
        (failure) => ({ data: [], failure: errorText(failure) }),
      );
      if (!isCurrent) return;
      setPeople(result.data);
      setError(result.failure);
    }, searchDelayMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [search]);
  return { people, error };
}
