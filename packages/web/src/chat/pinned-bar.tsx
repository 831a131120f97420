import type { Chat, Message } from "messenger-client";
import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { useObservable } from "../use-observable.ts";
import { previewOf } from "./plain-text.ts";

interface PinnedBarProps {
  chat: Chat;
  jumpTo(seq: number): void;
  /** Removes a pin; undefined for those who may not. */
  unpin: ((message: Message) => void) | undefined;
}

/** The newest pinned message of a chat, below its header, and a list of all. */
export function PinnedBar({ chat, jumpTo, unpin }: PinnedBarProps) {
  const pinned = useObservable(chat.pinned);
  const [isListOpen, setListOpen] = useState(false);
  const [newest] = pinned;
  if (!newest) return null;
  const jump = ({ seq }: Message) => {
    setListOpen(false);
    if (seq !== undefined) jumpTo(seq);
  };
  return (
    <section class="pinned-bar" aria-label="Pinned">
      <Icon name="pin" />
      <button type="button" class="pinned-message" onClick={() => jump(newest)}>
        <span class="pinned-title">Pinned message</span>
        <span class="pinned-text" dir="auto">
          {previewOf(newest)}
        </span>
      </button>
      {(pinned.length > 1 || unpin) && (
        <button type="button" class="link-button" onClick={() => setListOpen(true)}>
          {pinned.length === 1 ? "Show" : `All ${pinned.length}`}
        </button>
      )}
      {isListOpen && (
        <Dialog title="Pinned messages" onClose={() => setListOpen(false)}>
          <ul class="result-list">
            {pinned.map((message) => (
              <li key={message.key} class="result pinned-row">
                <button type="button" class="pinned-message" onClick={() => jump(message)}>
                  <span class="pinned-title" dir="auto">
                    {message.senderName}
                  </span>
                  <span class="pinned-text" dir="auto">
                    {previewOf(message)}
                  </span>
                </button>
                {unpin && (
                  <button type="button" class="button" onClick={() => unpin(message)}>
                    Unpin
                  </button>
                )}
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </section>
  );
}
