import type { Chat } from "messenger-client";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { lastSeen } from "../dates.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { navigate } from "../routing.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Confirmation } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { below, Menu, type MenuPosition } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { GroupInfo } from "./group-info.tsx";

/** Who the chat is with, and what one can do with it. */
export function ChatHeader({ chat }: { chat: Chat }) {
  const { title, kind, id, peer } = useObservable(chat.summary);
  const [isInfoOpen, setInfoOpen] = useState(false);
  return (
    <header class="chat-header">
      <button type="button" class="icon-button back" aria-label="Back" onClick={() => navigate("/")}>
        <Icon name="back" />
      </button>
      <Avatar name={title} id={peer?.id ?? id ?? 0} />
      <div class="chat-title">
        <h2 dir="auto">{title}</h2>
        <p class="chat-subtitle">
          <Typing
            chat={chat}
            fallback={kind === "group" ? <MemberCount chat={chat} /> : peer && <PeerPresence userId={peer.id} />}
          />
        </p>
      </div>
      {kind === "group" ? (
        <button
          type="button"
          class="icon-button"
          aria-label="Group info"
          title="Group info"
          onClick={() => setInfoOpen(true)}
        >
          <Icon name="people" />
        </button>
      ) : (
        peer && <DialogMenu chat={chat} userId={peer.id} name={title} />
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

/** What one can do with a dialog and its other person. */
function DialogMenu({ chat, userId, name }: { chat: Chat; userId: number; name: string }) {
  const [menu, setMenu] = useState<MenuPosition>();
  const [question, setQuestion] = useState<"clear" | "block">();
  const [isBlocked, setBlocked] = useState(false);
  const isSelf = userId === messenger.user.value?.id;
  const openMenu = async (event: { currentTarget: Element }) => {
    setMenu(below(event.currentTarget));
    const blocks = await messenger.call<{ data: { id: number }[] }>("GET", "/users/me/blocks").catch(() => undefined);
    if (blocks) setBlocked(blocks.data.some(({ id }) => id === userId));
  };
  const change = (method: "PUT" | "DELETE") =>
    messenger.call(method, `/users/me/blocks/${userId}`).then(
      () => showNotice(method === "PUT" ? `${name} is blocked.` : `${name} is no longer blocked.`),
      (error) => showNotice(errorText(error)),
    );
  const blockItem = isBlocked
    ? { label: "Unblock", run: () => void change("DELETE") }
    : { label: "Block", isDangerous: true, run: () => setQuestion("block") };
  return (
    <>
      <button type="button" class="icon-button" aria-label="Chat actions" aria-haspopup="menu" onClick={openMenu}>
        <Icon name="more" />
      </button>
      {menu && (
        <Menu
          label="Chat actions"
          at={menu}
          items={[{ label: "Clear chat", run: () => setQuestion("clear") }, ...(isSelf ? [] : [blockItem])]}
          onClose={() => setMenu(undefined)}
        />
      )}
      {question === "clear" && (
        <Confirmation
          title="Clear this chat?"
          text="All messages so far are hidden from you. The other person keeps them."
          action="Clear chat"
          onConfirm={() => void chat.clear().catch((error) => showNotice(errorText(error)))}
          onClose={() => setQuestion(undefined)}
        />
      )}
      {question === "block" && (
        <Confirmation
          title={`Block ${name}?`}
          text="This person can no longer write to you, add you to groups, or see whether you are online. They are not notified."
          action={`Block ${name}`}
          onConfirm={() => void change("PUT")}
          onClose={() => setQuestion(undefined)}
        />
      )}
    </>
  );
}
