import { type MessageHit, MessengerError } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { shortTimeOf } from "../dates.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { ErrorNote } from "../ui/error-note.tsx";
import { excerptOf } from "./excerpt.ts";
import "./search.css";

const delayMs = 300;
/** After which a search is made once more if the latest messages were not indexed yet. */
const retryMs = 1500;

interface Found {
  hits: readonly MessageHit[];
  cursor: string | null;
}

interface MessageResultsProps {
  query: string;
  /** Searches this chat only. */
  chatId?: number | undefined;
  onChoose(hit: MessageHit): void;
}

/** The messages that contain the words of a text, the newest first. */
export function MessageResults({ query, chatId, onChoose }: MessageResultsProps) {
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState<string>();
  const [isLoading, setLoading] = useState(false);
  const wanted = query.trim();
  const options = chatId === undefined ? {} : { chatId };

  useEffect(() => {
    setFound(undefined);
    setError(undefined);
    if (!wanted) return;
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout>;
    const search = async (isRetry: boolean) => {
      try {
        const { hits, cursor, behind } = await messenger.search(wanted, options);
        if (!isCurrent) return;
        setFound({ hits, cursor });
        if (behind && !isRetry) timer = setTimeout(() => void search(true), retryMs);
      } catch (failure) {
        if (isCurrent) setError(searchError(failure));
      }
    };
    timer = setTimeout(() => void search(false), delayMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [wanted, chatId]);

  const showMore = async ({ hits, cursor }: Found) => {
    if (cursor === null) return;
    setLoading(true);
    try {
      const next = await messenger.search(wanted, { ...options, cursor });
      // Not if another text is searched for by now.
      setFound((now) => (now?.cursor === cursor ? { hits: [...hits, ...next.hits], cursor: next.cursor } : now));
    } catch (failure) {
      setError(searchError(failure));
    }
    setLoading(false);
  };

  if (!wanted) return null;
  return (
    <>
      {/* biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without markers */}
      <ul role="list" class="message-results" aria-label="Messages">
        {found?.hits.map((hit) => (
          <li key={hit.message.messageId}>
            <Hit hit={hit} hasTitle={chatId === undefined} onChoose={() => onChoose(hit)} />
          </li>
        ))}
      </ul>
      {found?.cursor && (
        <button type="button" class="link-button" disabled={isLoading} onClick={() => void showMore(found)}>
          More messages
        </button>
      )}
      {error && <ErrorNote>{error}</ErrorNote>}
      {!error && (
        <p class="empty" role="status">
          {found ? (found.hits.length === 0 ? "No message contains this." : "") : "Searching…"}
        </p>
      )}
    </>
  );
}

function Hit({ hit, hasTitle, onChoose }: { hit: MessageHit; hasTitle: boolean; onChoose(): void }) {
  const { chat, message, highlights } = hit;
  const { title } = chat.summary.value;
  const sender = message.isMine ? "You" : message.senderName;
  return (
    <button type="button" class="message-result" onClick={onChoose}>
      <span class="message-result-title" dir="auto">
        {hasTitle ? title : sender}
      </span>
      <span class="message-result-time">{shortTimeOf(message.createdAt)}</span>
      <span class="message-result-text" dir="auto">
        {hasTitle && title !== sender && <span class="sender">{sender}: </span>}
        {excerptOf(message.text, highlights).map(({ text, isMarked }, index) =>
          isMarked ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>,
        )}
      </span>
    </button>
  );
}

const searchError = (error: unknown): string =>
  error instanceof MessengerError && error.code === "VALIDATION"
    ? "To find messages, type up to five words of at least two letters."
    : errorText(error);
