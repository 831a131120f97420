import type { Chat, Message, Timeline } from "messenger-client";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { dayKey, dayOf } from "../dates.ts";
import { Icon } from "../ui/icon.tsx";
import { useObservable } from "../use-observable.ts";
import { MessageRow, type RowActions } from "./message-row.tsx";

/** Messages of one sender within this time form a group. */
const groupMs = 5 * 60_000;
/** Distance from an end at which more is loaded, in pixels. */
const loadDistance = 800;
/** Distance from the end at which the view still follows it. */
const endDistance = 40;

interface TimelineViewProps {
  chat: Chat;
  timeline: Timeline;
  title: string;
  /** The first unread message, above which a line is drawn. */
  firstUnread: number | undefined;
  actions: RowActions;
  /** Opens a timeline of the newest messages, where this one does not reach them. */
  openNewest(): void;
  /** Is set to what scrolls to the newest messages. */
  showNewest: { current: () => void };
  /** A message that is scrolled to and marked for a moment. */
  target: { seq: number } | undefined;
}

/** The messages, in a scrolling area that stays where it is when messages are added above. */
export function TimelineView(props: TimelineViewProps) {
  const { chat, timeline, title, firstUnread, actions, target } = props;
  const { messages, hasOlder, hasNewer } = useObservable(timeline);
  const readBy = useObservable(chat.readBy);
  const { unread, kind } = useObservable(chat.summary);
  const readSeq = readBy[0]?.seq ?? 0;
  const log = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ key: string; bottom: number } | "end" | undefined>(undefined);
  /** What the area showed when it was last at the end, from top to bottom, in pixels of its content. */
  const shownEnd = useRef({ top: Number.POSITIVE_INFINITY, bottom: Number.POSITIVE_INFINITY });
  const drawn = useRef(messages);
  const [isAtEnd, setAtEnd] = useState(true);
  const [currentKey, setCurrentKey] = useState<string>();
  const hasTarget = target !== undefined && messages.some(({ seq }) => seq === target.seq);
  const current = messages.some(({ key }) => key === currentKey) ? currentKey : messages.at(-1)?.key;

  // Measured before the messages change: scroll events come late.
  if (drawn.current !== messages && log.current && typeof anchor.current === "object") {
    anchor.current = firstVisible(log.current) ?? anchor.current;
  }
  drawn.current = messages;

  const load = useCallback(() => {
    const element = log.current;
    if (!element) return;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    // What cannot be loaded now is loaded when the connection is back.
    if (element.scrollTop < loadDistance && timeline.value.hasOlder) timeline.loadOlder().catch(() => {});
    if (below < loadDistance && timeline.value.hasNewer) timeline.loadNewer().catch(() => {});
  }, [timeline]);

  const noteEnd = (element: HTMLElement) => {
    shownEnd.current = { top: element.scrollTop, bottom: element.scrollTop + element.clientHeight };
  };
  const followEnd = (element: HTMLElement) => {
    element.scrollTop = element.scrollHeight;
    noteEnd(element);
  };
  /** Follows the end where messages have grown since, or the area has another size, and nobody has scrolled up. */
  const stayAtEnd = (element: HTMLElement) => {
    const { top, bottom } = shownEnd.current;
    // An area that became larger is scrolled down by the browser, so that it still ends with the content.
    const isUnmoved = element.scrollTop >= top || element.scrollTop + element.clientHeight >= bottom;
    if (anchor.current === "end" && isUnmoved) followEnd(element);
  };

  const noteScroll = useCallback(() => {
    const element = log.current;
    if (!element) return;
    stayAtEnd(element);
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    const reachesEnd = below <= endDistance && !timeline.value.hasNewer;
    setAtEnd(reachesEnd);
    anchor.current = reachesEnd ? "end" : (firstVisible(element) ?? anchor.current);
    if (reachesEnd) noteEnd(element);
    markRead(chat, element);
    load();
  }, [chat, timeline, load]);

  // The first time: at the first unread message, or at the end.
  useLayoutEffect(() => {
    anchor.current = "end";
  }, [timeline]);

  useLayoutEffect(() => {
    const element = log.current;
    if (!element) return;
    const line = element.querySelector(".unread-line");
    if (anchor.current === "end" && line && !element.dataset.shown) line.scrollIntoView({ block: "start" });
    else if (anchor.current === "end") followEnd(element);
    else if (anchor.current) keepInPlace(element, anchor.current);
    if (messages.length > 0) element.dataset.shown = "yes";
    noteScroll();
  }, [messages]);

  useLayoutEffect(() => {
    if (target === undefined) return;
    const row = log.current?.querySelector(`[data-seq="${target.seq}"]`);
    if (!(row instanceof HTMLElement)) return;
    row.scrollIntoView({ block: "center" });
    row.classList.add("target");
    setCurrentKey(row.dataset.key);
    row.focus({ preventScroll: true });
    const timer = setTimeout(() => row.classList.remove("target"), 2000);
    return () => clearTimeout(timer);
  }, [target, hasTarget]);

  // The area becomes smaller when the composer grows or the keyboard of a phone opens, and messages grow when their files
  // are loaded.
  useEffect(() => {
    const element = log.current;
    const list = element?.querySelector("ol");
    if (!element || !list) return;
    const observer = new ResizeObserver(() => stayAtEnd(element));
    observer.observe(element);
    observer.observe(list);
    const onVisible = () => markRead(chat, element);
    document.addEventListener("visibilitychange", onVisible);
    addEventListener("focus", onVisible);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", onVisible);
      removeEventListener("focus", onVisible);
    };
  }, [chat]);

  const showNewest = () => {
    if (hasNewer) props.openNewest();
    else log.current?.scrollTo({ top: log.current.scrollHeight });
    // What was just sent is not drawn yet.
    anchor.current = "end";
  };
  props.showNewest.current = showNewest;

  const onKeyDown = (event: KeyboardEvent) => {
    const index = messages.findIndex(({ key }) => key === current);
    const next = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: messages.length - 1 }[event.key];
    if (next === undefined || event.altKey || !(event.target instanceof Element) || !event.target.matches("article"))
      return;
    event.preventDefault();
    const key = messages[next]?.key;
    if (key === undefined) return;
    setCurrentKey(key);
    const row = [...(log.current?.querySelectorAll("article") ?? [])].find(({ dataset }) => dataset.key === key);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };

  const rows = useMemo(() => arrange(messages, firstUnread), [messages, firstUnread]);
  return (
    <div class="timeline">
      <div
        ref={log}
        class="log"
        role="log"
        aria-label={title}
        aria-live="off"
        onScroll={noteScroll}
        onKeyDown={onKeyDown}
      >
        {hasOlder ? (
          <p class="log-edge">Loading…</p>
        ) : (
          messages.length === 0 && <p class="log-edge">No messages yet. Say hello.</p>
        )}
        <ol>
          {rows.map(({ message, day, startsGroup, isFirstUnread }) => (
            <li key={message.key}>
              {day && (
                <p class="day">
                  <span>{day}</span>
                </p>
              )}
              {isFirstUnread && (
                <p class="unread-line">
                  <span>New messages</span>
                </p>
              )}
              <MessageRow
                message={message}
                actions={actions}
                startsGroup={startsGroup}
                showsSender={kind === "group" && !message.isMine}
                isCurrent={message.key === current}
                isRead={message.isMine && message.seq !== undefined && message.seq <= readSeq}
              />
            </li>
          ))}
        </ol>
      </div>
      {(!isAtEnd || hasNewer) && (
        <button type="button" class="to-end" onClick={showNewest}>
          <Icon name="down" />
          {unread > 0 ? `${unread} new ${unread === 1 ? "message" : "messages"}` : "Newest messages"}
        </button>
      )}
    </div>
  );
}

interface Row {
  message: Message;
  /** The day, above its first message. */
  day: string | undefined;
  startsGroup: boolean;
  isFirstUnread: boolean;
}

/** Adds days, groups and the unread line to the messages. */
function arrange(messages: readonly Message[], firstUnread: number | undefined): Row[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isNewDay = !before || dayKey(before.createdAt) !== dayKey(message.createdAt);
    const { seq = 0 } = message;
    // Not above the first message of a window that begins later.
    const isFirstUnread =
      firstUnread !== undefined && (seq === firstUnread || (seq > firstUnread && (before?.seq ?? seq) < firstUnread));
    const follows =
      before !== undefined &&
      !isNewDay &&
      !isFirstUnread &&
      !before.notification &&
      before.senderId === message.senderId &&
      new Date(message.createdAt).getTime() - new Date(before.createdAt).getTime() < groupMs;
    return { message, day: isNewDay ? dayOf(message.createdAt) : undefined, startsGroup: !follows, isFirstUnread };
  });
}

/** The first message that is visible, and the distance of its end from the top of the area: its beginning may change. */
function firstVisible(log: HTMLElement): { key: string; bottom: number } | undefined {
  const { top } = log.getBoundingClientRect();
  for (const row of log.querySelectorAll<HTMLElement>("article")) {
    const box = row.getBoundingClientRect();
    if (box.bottom > top && row.dataset.key !== undefined) return { key: row.dataset.key, bottom: box.bottom - top };
  }
  return undefined;
}

/** Scrolls so that a message is where it was. */
function keepInPlace(log: HTMLElement, { key, bottom }: { key: string; bottom: number }): void {
  const row = [...log.querySelectorAll<HTMLElement>("article")].find(({ dataset }) => dataset.key === key);
  if (row) log.scrollTop += row.getBoundingClientRect().bottom - log.getBoundingClientRect().top - bottom;
}

/** Marks what is visible as read, while somebody looks at the page. */
function markRead(chat: Chat, log: HTMLElement): void {
  if (document.visibilityState !== "visible" || !document.hasFocus()) return;
  const { bottom } = log.getBoundingClientRect();
  const rows = [...log.querySelectorAll<HTMLElement>("article[data-seq]")];
  const last = rows.findLast((row) => row.getBoundingClientRect().top < bottom - 8);
  if (last) chat.markRead(Number(last.dataset.seq));
}
