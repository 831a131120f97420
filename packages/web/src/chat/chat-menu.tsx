import type { Chat } from "messenger-client";
import { useLayoutEffect, useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { navigate } from "../routing.ts";
import { Confirmation } from "../ui/dialog.tsx";
import { Menu, type MenuItem, type MenuPosition } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";

const hourMs = 60 * 60_000;
const muteTimes: readonly [label: string, hours: number | undefined][] = [
  ["Mute for 1 hour", 1],
  ["Mute for 8 hours", 8],
  ["Mute for 1 week", 7 * 24],
  ["Mute for ever", undefined],
];

const showError = (error: unknown) => showNotice(errorText(error));

/**
 * What one can do with a chat, and with the other person of a dialog.
 * @param props.opening where the menu opens; another object opens it again
 */
export function ChatMenu({ chat, opening }: { chat: Chat; opening: { at: MenuPosition } }) {
  const { id, peer, title, muted, level, archived, pinned } = useObservable(chat.summary);
  const [menu, setMenu] = useState<{ at: MenuPosition; isOfNotifications?: boolean }>();
  const [question, setQuestion] = useState<"clear" | "block">();
  const [isBlocked, setBlocked] = useState(false);
  const isSelf = peer?.id === messenger.user.value?.id;
  const readBlocks = async () => {
    if (!peer) return;
    const blocks = await messenger.call<{ data: { id: number }[] }>("GET", "/users/me/blocks").catch(() => undefined);
    if (blocks) setBlocked(blocks.data.some((blocked) => blocked.id === peer.id));
  };
  useLayoutEffect(() => {
    setMenu(opening);
    void readBlocks();
  }, [opening]);
  const block = (method: "PUT" | "DELETE") =>
    messenger
      .call(method, `/users/me/blocks/${peer?.id}`)
      .then(() => showNotice(method === "PUT" ? `${title} is blocked.` : `${title} is no longer blocked.`), showError);
  const change = (work: Promise<void>) => void work.catch(showError);
  const markUnread = () => {
    navigate("/");
    // Once the chat is no longer shown: showing it removes the mark.
    setTimeout(() => change(chat.markUnread()));
  };
  const archive = () => {
    change(chat.archive(!archived));
    if (!archived) navigate("/");
  };
  const ofPeer: MenuItem[] = [
    { label: "Clear chat", run: () => setQuestion("clear") },
    ...(isSelf
      ? []
      : [
          isBlocked
            ? { label: "Unblock", run: () => void block("DELETE") }
            : { label: "Block", isDangerous: true, run: () => setQuestion("block") },
        ]),
  ];
  // Before its first message, a dialog has no settings.
  const ofChat: MenuItem[] = [
    {
      label: pinned === undefined ? "Pin chat" : "Unpin chat",
      run: () => change(chat.setPinned(pinned === undefined)),
    },
    { label: "Notifications", run: () => setMenu(menu && { at: menu.at, isOfNotifications: true }) },
    { label: archived ? "Unarchive" : "Archive", run: archive },
    { label: "Mark as unread", run: markUnread },
  ];
  const ofNotifications: MenuItem[] = [
    ...(muted ? [{ label: "Unmute", run: () => change(chat.mute(new Date(0))) }] : []),
    ...muteTimes.map(([label, hours]) => ({
      label,
      run: () => change(chat.mute(hours === undefined ? undefined : new Date(Date.now() + hours * hourMs))),
    })),
    ...(level === "all" ? [] : [{ label: "All messages", run: () => change(chat.setLevel("all")) }]),
    ...(level === "mentions" ? [] : [{ label: "Mentions only", run: () => change(chat.setLevel("mentions")) }]),
    ...(level === "none" ? [] : [{ label: "No messages", run: () => change(chat.setLevel("none")) }]),
  ];
  return (
    <>
      {menu && (
        <Menu
          key={menu.isOfNotifications ? "notifications" : "actions"}
          label={menu.isOfNotifications ? "Notifications" : "Chat actions"}
          at={menu.at}
          items={
            menu.isOfNotifications ? ofNotifications : [...(id === undefined ? [] : ofChat), ...(peer ? ofPeer : [])]
          }
          onClose={() => setMenu(undefined)}
        />
      )}
      {question === "clear" && (
        <Confirmation
          title="Clear this chat?"
          text="All messages so far are hidden from you. The other person keeps them."
          action="Clear chat"
          onConfirm={() => change(chat.clear())}
          onClose={() => setQuestion(undefined)}
        />
      )}
      {question === "block" && (
        <Confirmation
          title={`Block ${title}?`}
          text="This person can no longer write to you, add you to groups, or see whether you are online. They are not notified."
          action={`Block ${title}`}
          onConfirm={() => void block("PUT")}
          onClose={() => setQuestion(undefined)}
        />
      )}
    </>
  );
}
