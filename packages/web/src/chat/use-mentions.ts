import type { Chat, MentionedPeople, Message } from "messenger-client";
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { announce } from "../ui/announcer.tsx";
import { useObservable } from "../use-observable.ts";
import {
  everybody,
  type Mentionable,
  matchingPeople,
  mentionedPeople,
  peopleIn,
  startedMention,
} from "./mention-text.ts";

/** In larger groups, only admins and the owner may mention everybody. */
const maxMembersForAll = 20;
const maxShown = 8;

interface MentionField {
  chat: Chat;
  text: string;
  setText(text: string): void;
  field: RefObject<HTMLTextAreaElement | null>;
  /** The message that is edited. */
  edited: Message | undefined;
}

/** Completes names behind "@" in the field of the composer, and finds whom its text mentions. */
export function useMentions({ chat, text, setText, field, edited }: MentionField) {
  const people = useMentionable(chat, text.includes("@"));
  const [cursor, setCursor] = useState(0);
  const [selected, setSelected] = useState(0);
  /** Where the "@" is for which the list was closed. */
  const [closedAt, setClosedAt] = useState<number>();
  const started = startedMention(text, cursor);
  const isOpen = started !== undefined && started.at !== closedAt;
  const found = isOpen ? matchingPeople(people, started.query).slice(0, maxShown) : [];
  const position = Math.min(selected, found.length - 1);

  useEffect(() => {
    if (found.length > 0) announce(found.length === 1 ? "1 person" : `${found.length} people`);
  }, [found.length]);

  const choose = (person: Mentionable | undefined) => {
    if (!person || !started) return;
    const before = `${text.slice(0, started.at)}@${person.name} `;
    setText(before + text.slice(cursor).replace(/^ /, ""));
    setCursor(before.length);
    requestAnimationFrame(() => field.current?.setSelectionRange(before.length, before.length));
  };

  return {
    found,
    selected: position,
    choose,
    /** Is called when the text or the cursor has changed. */
    noteCursor(): void {
      const element = field.current;
      const next = element && element.selectionStart === element.selectionEnd ? element.selectionStart : 0;
      if (next !== cursor) setSelected(0);
      setCursor(next);
      if (closedAt !== undefined && startedMention(element?.value ?? "", next)?.at !== closedAt) setClosedAt(undefined);
    },
    /** @returns whether the key was for the list */
    handleKey({ key, shiftKey }: KeyboardEvent): boolean {
      if (found.length === 0 || shiftKey) return false;
      if (key === "ArrowDown") setSelected((position + 1) % found.length);
      else if (key === "ArrowUp") setSelected((position + found.length - 1) % found.length);
      else if (key === "Enter" || key === "Tab") choose(found[position]);
      else if (key === "Escape") setClosedAt(started?.at);
      else return false;
      return true;
    },
    /** Whom a text mentions. */
    mentionedIn: (content: string): MentionedPeople =>
      mentionedPeople(content, [...(edited ? peopleIn(edited) : []), ...people]),
  };
}

/** The people whom a text in a chat can mention. The members are read when they are first needed. */
function useMentionable(chat: Chat, isNeeded: boolean): readonly Mentionable[] {
  const { kind, memberCount = 0, role } = useObservable(chat.summary);
  const myId = useObservable(messenger.user)?.id;
  const info = useObservable(messenger.info);
  const isKnown = info?.features.includes("mentions") === true;
  const [members, setMembers] = useState(chat.members.value);
  useEffect(() => (isNeeded && isKnown ? chat.members.subscribe(setMembers) : undefined), [chat, isNeeded, isKnown]);
  if (!isKnown) return [];
  const mayMentionAll = kind === "group" && (memberCount <= maxMembersForAll || role !== "member");
  return [
    ...members
      .filter(({ userId }) => userId !== myId)
      .map(({ userId, firstName, lastName }) => ({ userId, name: lastName ? `${firstName} ${lastName}` : firstName })),
    ...(mayMentionAll ? [everybody] : []),
  ];
}
