import type { MentionList } from "messenger-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { openMessage } from "../chat/jump.ts";
import { plainText } from "../chat/plain-text.ts";
import { shortTimeOf } from "../dates.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";

const pageSize = 30;

/** The messages that mention the user, the newest first. */
export function MentionsDialog({ onClose }: { onClose(): void }) {
  const [found, setFound] = useState<MentionList["mentions"]>([]);
  /** Null after the last page; undefined before the first. */
  const [cursor, setCursor] = useState<number | null>();
  const [failure, setFailure] = useState("");
  const isLoading = useRef(false);
  const load = async () => {
    if (isLoading.current) return;
    isLoading.current = true;
    setFailure("");
    try {
      const before = cursor ?? undefined;
      const page = await messenger.mentions({ limit: pageSize, ...(before !== undefined && { before }) });
      setFound([...found, ...page.mentions]);
      setCursor(page.cursor);
    } catch (error) {
      setFailure(errorText(error));
    } finally {
      isLoading.current = false;
    }
  };
  useEffect(() => void load(), []);
  return (
    <Dialog title="Mentions" onClose={onClose}>
      <ul class="result-list">
        {found.map(({ chat, message }) => (
          <li key={message.messageId} class="result pinned-row">
            <button
              type="button"
              class="pinned-message"
              onClick={() => {
                onClose();
                if (chat.id !== undefined && message.seq !== undefined)
                  openMessage({ chatId: chat.id, seq: message.seq });
              }}
            >
              <span class="pinned-title" dir="auto">
                {message.senderName} · {chat.kind === "group" ? `${chat.summary.value.title} · ` : ""}
                {shortTimeOf(message.createdAt)}
              </span>
              <span class="pinned-text" dir="auto">
                {plainText(message.text)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {cursor === undefined && !failure && <p class="empty">Loading…</p>}
      {cursor === null && found.length === 0 && <p class="empty">Nobody has mentioned you yet.</p>}
      {failure && <p role="alert">{failure}</p>}
      {(typeof cursor === "number" || failure) && (
        <button type="button" class="button" onClick={() => void load()}>
          {failure ? "Try again" : "Show more"}
        </button>
      )}
    </Dialog>
  );
}
