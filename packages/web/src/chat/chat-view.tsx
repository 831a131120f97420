import { effect } from "@preact/signals";
import type { Chat, Message, Timeline, TimelineStart } from "messenger-client";
import type { ComponentType } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { ReactionsDialog, ReadersDialog } from "../lazy-pages.tsx";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";
import { Confirmation } from "../ui/dialog.tsx";
import { Menu, type MenuItem, type MenuPosition, type MenuToggle } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { ChatHeader } from "./chat-header.tsx";
import { Composer, type ComposerMode } from "./composer.tsx";
import { requestedMessage } from "./jump.ts";
import type { RowActions } from "./message-row.tsx";
import { PinnedBar } from "./pinned-bar.tsx";
import { TimelineView } from "./timeline-view.tsx";

/** What is offered in the menu of a message. */
const quickEmoji = ["👍", "❤️", "😂", "😮", "😢", "🎉"];

type DialogKind = "delete" | "readers" | "reactions";
type ForwardDialog = ComponentType<{ message: Message; onClose(): void }>;
type Picker = ComponentType<{ onChoose(emoji: string): void; onClose(): void }>;

/** An open chat. */
export function ChatView({ chat }: { chat: Chat }) {
  const summary = useObservable(chat.summary);
  const chats = useObservable(messenger.chats);
  const { state } = useObservable(messenger.connection);
  const path = chatPath(summary);
  const [mode, setMode] = useState<ComposerMode>({ kind: "new" });
  // An object of its own for each jump, so that the same one can be made again.
  const [position, setPosition] = useState<{ at: TimelineStart }>({ at: "unread" });
  const [menu, setMenu] = useState<{ message: Message; at: MenuPosition }>();
  const [dialog, setDialog] = useState<{ kind: DialogKind; message: Message }>();
  const [forward, setForward] = useState<{ Dialog: ForwardDialog; message: Message }>();
  const [picker, setPicker] = useState<{ Picker: Picker; message: Message }>();
  // Kept as it was when the chat was opened.
  const firstUnread = useMemo(() => (summary.unread > 0 ? summary.lastSeq - summary.unread + 1 : undefined), [chat]);
  const timeline = useTimeline(chat, position);

  // The first message gives a dialog its id.
  useEffect(() => {
    if (path !== location.pathname) navigate(path, { replace: true });
  }, [path]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      document.querySelector<HTMLElement>(".composer textarea")?.focus();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);

  const jumpTo = (seq: number) => setPosition({ at: { seq } });
  useEffect(
    () =>
      effect(() => {
        const request = requestedMessage.value;
        if (!request || request.chatId !== chat.id) return;
        requestedMessage.value = undefined;
        jumpTo(request.seq);
      }),
    [chat],
  );
  const showNewest = useRef(() => {});
  const openMenu = (message: Message, element: HTMLElement, at?: MenuPosition) => {
    const box = element.getBoundingClientRect();
    setMenu({
      message,
      at: at ?? { x: message.isMine ? box.right - 180 : box.left + 40, y: Math.min(box.bottom, innerHeight - 80) },
    });
  };
  const showError = (error: unknown) => showNotice(errorText(error));
  const react = ({ messageId }: Message, emoji: string, on: boolean) => {
    if (messageId !== undefined) chat.react(messageId, emoji, on).catch(showError);
  };
  const pin = ({ messageId }: Message, on: boolean) => {
    if (messageId !== undefined) chat.pin(messageId, on).catch(showError);
  };
  const openPicker = (message: Message) =>
    import("./reaction-picker.tsx").then(
      ({ ReactionPicker }) => setPicker({ Picker: ReactionPicker, message }),
      () => showNotice("The emoji could not be loaded. Reload the page."),
    );
  const openForward = (message: Message) =>
    import("./forward-dialog.tsx").then(
      ({ ForwardDialog }) => setForward({ Dialog: ForwardDialog, message }),
      () => showNotice("The list of chats could not be loaded. Reload the page."),
    );
  const actions = useMemo(() => ({ openMenu, jumpTo, react }), [timeline]);
  const findLastOwn = () => timeline.value.messages.findLast((message) => canChange(message));
  const remove = ({ messageId }: Message) => {
    if (messageId !== undefined) chat.delete(messageId).catch(showError);
  };

  const isKnown = summary.kind === "dialog" || chats.some(({ id }) => id === summary.id);
  if (!isKnown) {
    return (
      <p class="empty page-empty">
        {state === "live" ? "This chat does not exist, or you are no longer in it." : "Loading…"}
      </p>
    );
  }

  return (
    <div class="chat">
      <ChatHeader chat={chat} jumpTo={jumpTo} />
      <PinnedBar
        chat={chat}
        jumpTo={jumpTo}
        unpin={mayPin(summary.role) ? (message) => pin(message, false) : undefined}
      />
      <TimelineView
        chat={chat}
        timeline={timeline}
        title={summary.title}
        firstUnread={firstUnread}
        actions={actions}
        openNewest={() => setPosition({ at: "newest" })}
        showNewest={showNewest}
        target={typeof position.at === "object" ? position.at : undefined}
      />
      <Composer
        chat={chat}
        path={path}
        mode={mode}
        setMode={setMode}
        findLastOwn={findLastOwn}
        onSend={() => showNewest.current()}
      />
      {menu && (
        <Menu
          label="Message actions"
          at={menu.at}
          toggles={canReact(menu.message) ? reactionToggles(menu.message, react) : []}
          items={menuItems(menu.message, summary.role, { setMode, setDialog, openPicker, openForward, pin })}
          onClose={() => setMenu(undefined)}
        />
      )}
      {dialog?.kind === "delete" && (
        <Confirmation
          title="Delete this message?"
          text="It is deleted for everybody in this chat."
          action="Delete message"
          onConfirm={() => remove(dialog.message)}
          onClose={() => setDialog(undefined)}
        />
      )}
      {picker && (
        <picker.Picker onChoose={(emoji) => react(picker.message, emoji, true)} onClose={() => setPicker(undefined)} />
      )}
      {forward && <forward.Dialog message={forward.message} onClose={() => setForward(undefined)} />}
      {dialog?.kind === "reactions" && (
        <ReactionsDialog chat={chat} message={dialog.message} onClose={() => setDialog(undefined)} />
      )}
      {dialog?.kind === "readers" && (
        <ReadersDialog chat={chat} message={dialog.message} onClose={() => setDialog(undefined)} />
      )}
    </div>
  );
}

/** A timeline of the chat, which is closed when it is no longer shown. */
function useTimeline(chat: Chat, position: { at: TimelineStart }): Timeline {
  const timeline = useMemo(() => chat.timeline(position), [chat, position]);
  useEffect(() => () => timeline.close(), [timeline]);
  return timeline;
}

const canEdit = ({ isMine, state, deletedAt, notification, messageId }: Message): boolean =>
  isMine && state === "sent" && !deletedAt && !notification && messageId !== undefined;

/** A forwarded message has the name of another user. */
const canChange = (message: Message): boolean => canEdit(message) && !message.forwarded;

const canReact = ({ state, deletedAt, notification, messageId }: Message): boolean =>
  state === "sent" && !deletedAt && !notification && messageId !== undefined;

/** @param role the own role in a group; undefined in a dialog */
const mayPin = (role: string | undefined): boolean => role !== "member";

const isOwn = ({ reactions = [] }: Message, emoji: string): boolean =>
  reactions.some((reaction) => reaction.emoji === emoji && reaction.mine);

const reactionToggles = (message: Message, react: RowActions["react"]): MenuToggle[] =>
  quickEmoji.map((emoji) => {
    const isOn = isOwn(message, emoji);
    return { label: emoji, isOn, run: () => react(message, emoji, !isOn) };
  });

function menuItems(
  message: Message,
  role: string | undefined,
  open: {
    setMode(mode: ComposerMode): void;
    setDialog(dialog: { kind: DialogKind; message: Message }): void;
    openPicker(message: Message): void;
    openForward(message: Message): void;
    pin(message: Message, on: boolean): void;
  },
): MenuItem[] {
  const isSent = message.state === "sent" && message.messageId !== undefined;
  const isPinned = message.pinned !== undefined;
  const canDelete = canEdit(message) || (isSent && !message.deletedAt && (role === "owner" || role === "admin"));
  const copy = () =>
    navigator.clipboard.writeText(message.text).catch(() => showNotice("This browser does not allow to copy."));
  return [
    ...(isSent && !message.deletedAt
      ? [{ label: "Reply", run: () => open.setMode({ kind: "reply", to: message }) }]
      : []),
    ...(canReact(message) ? [{ label: "Forward", run: () => open.openForward(message) }] : []),
    ...(canReact(message) ? [{ label: "More reactions", run: () => open.openPicker(message) }] : []),
    ...(message.deletedAt ? [] : [{ label: "Copy", run: () => void copy() }]),
    ...(canChange(message) ? [{ label: "Edit", run: () => open.setMode({ kind: "edit", message }) }] : []),
    ...(canReact(message) && mayPin(role)
      ? [{ label: isPinned ? "Unpin" : "Pin", run: () => open.pin(message, !isPinned) }]
      : []),
    ...(message.reactions ? [{ label: "Reactions", run: () => open.setDialog({ kind: "reactions", message }) }] : []),
    ...(isSent ? [{ label: "Read by", run: () => open.setDialog({ kind: "readers", message }) }] : []),
    ...(message.retry ? [{ label: "Try again", run: () => message.retry?.() }] : []),
    ...(message.discard ? [{ label: "Discard", isDangerous: true, run: () => message.discard?.() }] : []),
    ...(canDelete
      ? [{ label: "Delete", isDangerous: true, run: () => open.setDialog({ kind: "delete", message }) }]
      : []),
  ];
}
