import type { Chat } from "messenger-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useObservable } from "../use-observable.ts";
import { draftOf, keepDraft } from "./drafts.ts";

/** A draft is kept for the other devices when the user pauses for so long, in milliseconds. */
const pauseMs = 1000;

/**
 * The text of a chat's composer. At each key it is kept on this device, and after a pause, or when the chat or the page is
 * left, on all devices. What is written elsewhere appears as long as nothing is written here.
 * @param isPaused the composer contains another text now
 */
export function useDraft(
  chat: Chat,
  path: string,
  { isPaused, replyTo }: { isPaused: boolean; replyTo?: number | undefined },
) {
  const { draft } = useObservable(chat.summary);
  const [text, setText] = useState(() => draftOf(path) || draft);
  /** The text that all devices have, as far as this one knows. */
  const shared = useRef(draft);

  const share = () => {
    if (isPaused || text === shared.current || chat.id === undefined) return;
    shared.current = text;
    // Until all devices have it, it stays on this one too: the page may be closed before it is stored elsewhere.
    chat.setDraft(text.trim() ? text : "", { replyTo }).then(
      () => draftOf(path) === text && keepDraft(path, ""),
      () => {},
    );
  };
  const shareNow = useRef(share);
  shareNow.current = share;

  useLayoutEffect(() => {
    if (draft === shared.current) return;
    const isUntouched = text === shared.current;
    shared.current = draft;
    if (isUntouched && !isPaused) setText(draft);
  }, [draft]);

  useEffect(() => {
    if (isPaused) return;
    keepDraft(path, text === shared.current ? "" : text);
    if (text === shared.current) return;
    const timer = setTimeout(() => shareNow.current(), pauseMs);
    return () => clearTimeout(timer);
  }, [text, isPaused, path]);

  useEffect(() => {
    const onHidden = () => document.visibilityState === "hidden" && shareNow.current();
    document.addEventListener("visibilitychange", onHidden);
    return () => {
      document.removeEventListener("visibilitychange", onHidden);
      shareNow.current();
    };
  }, []);

  return { text, setText, restore: () => setText(draftOf(path) || draft) };
}
