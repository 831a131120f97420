import type { Chat } from "messenger-client";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ChatAvatar } from "../avatars/avatars.tsx";
import { lastSeen } from "../dates.ts";
import { ChatMenu, ChatSearchDialog, GroupInfo } from "../lazy-pages.tsx";
import { messenger } from "../messenger.ts";
import { navigate } from "../routing.ts";
import { Icon } from "../ui/icon.tsx";
import { below, type MenuPosition } from "../ui/menu.tsx";
import { useObservable } from "../use-observable.ts";

/** Who the chat is with, and what one can do with it. */
export function ChatHeader({ chat, jumpTo }: { chat: Chat; jumpTo(seq: number): void }) {
  const summary = useObservable(chat.summary);
  const { title, kind, id, peer } = summary;
  const [isInfoOpen, setInfoOpen] = useState(false);
  const [isSearchOpen, setSearchOpen] = useState(false);
  const [menuOpening, setMenuOpening] = useState<{ at: MenuPosition }>();
  const canSearch = useObservable(messenger.info)?.features.includes("search") && id !== undefined;
  return (
    <header class="chat-header">
      <button type="button" class="icon-button back" aria-label="Back" onClick={() => navigate("/")}>
        <Icon name="back" />
      </button>
      <ChatAvatar chat={summary} />
      <div class="chat-title">
        <h2 dir="auto">{title}</h2>
        <p class="chat-subtitle">
          <Typing
            chat={chat}
            fallback={kind === "group" ? <MemberCount chat={chat} /> : peer && <PeerPresence userId={peer.id} />}
          />
        </p>
      </div>
      {canSearch && (
        <button
          type="button"
          class="icon-button"
          aria-label="Search in this chat"
          title="Search in this chat"
          onClick={() => setSearchOpen(true)}
        >
          <Icon name="search" />
        </button>
      )}
      {kind === "group" && (
        <button
          type="button"
          class="icon-button"
          aria-label="Group info"
          title="Group info"
          onClick={() => setInfoOpen(true)}
        >
          <Icon name="people" />
        </button>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label="Chat actions"
        aria-haspopup="menu"
        onClick={(event) => setMenuOpening({ at: below(event.currentTarget) })}
      >
        <Icon name="more" />
      </button>
      {menuOpening && <ChatMenu chat={chat} opening={menuOpening} />}
      {isSearchOpen && canSearch && (
        <ChatSearchDialog chatId={id} jumpTo={jumpTo} onClose={() => setSearchOpen(false)} />
      )}
      {isInfoOpen && <GroupInfo chat={chat} onClose={() => setInfoOpen(false)} />}
    </header>
  );
}

function Typing({ chat, fallback }: { chat: Chat; fallback: ComponentChildren }) {
  const typists = useObservable(chat.typists);
  const [, setLoaded] = useState(0);
  useEffect(() => {
    const unknown = typists.filter((userId) => !messenger.people.get(userId));
    // Without the name, it says "Somebody".
    if (unknown.length > 0)
      messenger.people.load(unknown).then(
        () => setLoaded((count) => count + 1),
        () => {},
      );
  }, [typists]);
  if (typists.length === 0) return <>{fallback}</>;
  const { kind } = chat;
  if (kind === "dialog") return <span class="typing">typing…</span>;
  const names = typists.map((userId) => messenger.people.get(userId)?.firstName ?? "Somebody");
  const [first, second] = names;
  if (names.length === 1) return <span class="typing">{first} is typing…</span>;
  if (names.length === 2) return <span class="typing">{`${first} and ${second} are typing…`}</span>;
  return <span class="typing">{names.length} people are typing…</span>;
}

function MemberCount({ chat }: { chat: Chat }) {
  const { memberCount = 0 } = useObservable(chat.summary);
  return <>{memberCount === 1 ? "1 member" : `${memberCount} members`}</>;
}

function PeerPresence({ userId }: { userId: number }) {
  const observable = useMemo(() => messenger.presence([userId]), [userId]);
  const [presence] = useObservable(observable);
  const [, setTick] = useState(0);
  // "5 minutes ago" grows old.
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  if (presence?.online) return <span class="online">online</span>;
  if (!presence) return null;
  return <>{presence.lastSeenAt ? lastSeen(presence.lastSeenAt) : "offline"}</>;
}
