import type { ChatSummary } from "messenger-client";
import { useState } from "preact/hooks";
import { ChatAvatar } from "../avatars/avatars.tsx";
import { draftOf } from "../chat/drafts.ts";
import { previewOf } from "../chat/plain-text.ts";
import { shortTimeOf } from "../dates.ts";
import { FoundMessages, MentionsDialog, NewChatDialog } from "../lazy-pages.tsx";
import { messenger } from "../messenger.ts";
import { chatPath, route } from "../routing.ts";
import { Icon } from "../ui/icon.tsx";
import { useObservable } from "../use-observable.ts";

/** The chats whose title contains a text, in any letter case. */
export const matching = (chats: readonly ChatSummary[], search: string): readonly ChatSummary[] => {
  const wanted = search.trim().toLocaleLowerCase();
  return wanted ? chats.filter(({ title }) => title.toLocaleLowerCase().includes(wanted)) : chats;
};

const filterNames = { all: "All", unread: "Unread", archived: "Archived" };

/** The column with all chats. */
export function ChatList() {
  const chats = useObservable(messenger.chats);
  const { state } = useObservable(messenger.connection);
  const info = useObservable(messenger.info);
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<"all" | "unread" | "archived">("all");
  const [isNewOpen, setNewOpen] = useState(false);
  const [isMentionsOpen, setMentionsOpen] = useState(false);
  const hasMentions = info?.features.includes("mentions");
  const hasArchived = chats.some(({ archived }) => archived);
  const shown = filter === "archived" && !hasArchived ? "all" : filter;
  const isShown = ({ archived, unread, markedUnread }: ChatSummary) =>
    archived === (shown === "archived") && (shown !== "unread" || unread > 0 || markedUnread);
  // A search finds archived chats too.
  const found = matching(chats, search).filter((chat) => isShown(chat) || (search !== "" && shown === "all"));
  const isLoading = chats.length === 0 && state !== "live";
  return (
    <nav class="chat-list" aria-label="Chats">
      <header>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Search"
            placeholder="Search"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        {hasMentions && (
          <button
            type="button"
            class="icon-button"
            aria-label="Mentions"
            title="Mentions"
            onClick={() => setMentionsOpen(true)}
          >
            <Icon name="mention" />
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label="New chat"
          title="New chat"
          onClick={() => setNewOpen(true)}
        >
          <Icon name="plus" />
        </button>
        <a class="icon-button" href="/settings" aria-label="Settings" title="Settings">
          <Icon name="settings" />
        </a>
      </header>
      <div class="filters">
        {(["all", "unread", ...(hasArchived ? ["archived" as const] : [])] as const).map((name) => (
          <button key={name} type="button" class="chip" aria-pressed={shown === name} onClick={() => setFilter(name)}>
            {filterNames[name]}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without markers */}
      <ul role="list">
        {found.map((chat) => (
          <ChatRow key={chatPath(chat)} chat={chat} />
        ))}
      </ul>
      {found.length === 0 && (
        <p class="empty">
          {isLoading
            ? "Loading your chats…"
            : search
              ? "No chat has this name."
              : shown === "unread"
                ? "Everything is read."
                : "No chats yet. Find somebody with the + button."}
        </p>
      )}
      {search.trim() && shown === "all" && info?.features.includes("search") && <FoundMessages query={search} />}
      {isMentionsOpen && <MentionsDialog onClose={() => setMentionsOpen(false)} />}
      {isNewOpen && <NewChatDialog onClose={() => setNewOpen(false)} />}
    </nav>
  );
}

function ChatRow({ chat }: { chat: ChatSummary }) {
  const path = chatPath(chat);
  const current = route.value;
  const isOpen = current.page === "chat" ? current.chatId === chat.id : location.pathname === path;
  const { lastMessage, badge, mentionBadge: mentions, markedUnread, muted, pinned, title } = chat;
  const draft = isOpen ? "" : draftOf(path) || chat.draft;
  return (
    <li>
      <a href={path} class="chat-row" aria-current={isOpen ? "page" : undefined}>
        <ChatAvatar chat={chat} />
        <span class="chat-row-title" dir="auto">
          {title}
        </span>
        <span class="chat-row-time">{lastMessage && shortTimeOf(lastMessage.createdAt)}</span>
        <span class="chat-row-text" dir="auto">
          {draft && <span class="draft">Draft: </span>}
          {draft ? draft : <LastMessage chat={chat} />}
        </span>
        <span class="chat-row-marks">
          {lastMessage?.state === "failed" && <Mark name="Not sent" icon="alert" />}
          {(lastMessage?.state === "queued" || lastMessage?.state === "sending") && (
            <Mark name="Sending" icon="clock" />
          )}
          {muted && <Mark name="Muted" icon="muted" />}
          {pinned !== undefined && <Mark name="Pinned" icon="pin" />}
          {mentions > 0 && (
            <span class="badge">
              @<span class="visually-hidden">{mentions === 1 ? "1 mention" : `${mentions} mentions`}</span>
            </span>
          )}
          {(badge > 0 || markedUnread) && (
            <span class={badge > 0 ? "badge" : "badge badge-dot"}>
              {badge > 999 ? "999+" : badge || ""}
              <span class="visually-hidden">{badge > 0 ? " unread" : "marked as unread"}</span>
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

function Mark({ name, icon }: { name: string; icon: "alert" | "clock" | "muted" | "pin" }) {
  return (
    <span class={`mark mark-${icon}`} role="img" aria-label={name}>
      <Icon name={icon} />
    </span>
  );
}

function LastMessage({ chat }: { chat: ChatSummary }) {
  const { lastMessage } = chat;
  if (!lastMessage) return null;
  if (lastMessage.deletedAt) return <em>Message deleted</em>;
  const sender = senderOf(chat);
  return (
    <>
      {sender && <span class="sender">{sender}: </span>}
      {previewOf(lastMessage)}
    </>
  );
}

/** Who wrote the last message, where that is not clear. */
function senderOf({ kind, lastMessage }: ChatSummary): string {
  if (!lastMessage || lastMessage.notification) return "";
  if (lastMessage.isMine) return "You";
  return kind === "group" ? lastMessage.senderName : "";
}
