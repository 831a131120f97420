import { useState } from "preact/hooks";
import { ChatAvatar } from "../avatars/avatars.tsx";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";
import { Dialog } from "../ui/dialog.tsx";
import { useObservable } from "../use-observable.ts";
import { matching } from "./chat-list.tsx";

const maxShown = 12;

/** Finds a chat by its name. */
export function ChatSwitcher({ onClose }: { onClose(): void }) {
  const chats = useObservable(messenger.chats);
  const [search, setSearch] = useState("");
  const [index, setIndex] = useState(0);
  const found = matching(chats, search).slice(0, maxShown);
  const open = (chat = found[index]) => {
    if (!chat) return;
    onClose();
    navigate(chatPath(chat));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") open();
    else if (event.key === "ArrowDown") setIndex(Math.min(index + 1, found.length - 1));
    else if (event.key === "ArrowUp") setIndex(Math.max(index - 1, 0));
    else return;
    event.preventDefault();
  };
  const optionId = (position: number) => `switcher-${position}`;
  return (
    <Dialog title="Go to a chat" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        class="dialog-search"
        aria-label="Find a chat"
        aria-expanded="true"
        aria-controls="switcher-list"
        aria-activedescendant={found.length > 0 ? optionId(index) : undefined}
        placeholder="Name of a chat"
        autofocus
        value={search}
        onInput={(event) => {
          setSearch(event.currentTarget.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="switcher-list" role="listbox" aria-label="Chats" class="result-list">
        {found.map((chat, position) => (
          <div
            key={chatPath(chat)}
            id={optionId(position)}
            role="option"
            tabIndex={-1}
            aria-selected={position === index}
            class="result"
            onClick={() => open(chat)}
            onKeyDown={onKeyDown}
          >
            <ChatAvatar chat={chat} size="small" />
            <span dir="auto">{chat.title}</span>
            {chat.badge > 0 && <span class="badge">{chat.badge}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="empty">No chat has this name.</p>}
    </Dialog>
  );
}
