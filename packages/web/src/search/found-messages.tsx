import { useId } from "preact/hooks";
import { openMessage } from "../chat/jump.ts";
import { MessageResults } from "./message-results.tsx";

/** The messages of all chats that contain the words of a text; below the chats with a matching name. */
export function FoundMessages({ query }: { query: string }) {
  const titleId = useId();
  return (
    <section class="found-messages" aria-labelledby={titleId}>
      <h2 id={titleId}>Messages</h2>
      <MessageResults
        query={query}
        onChoose={({ chat, message }) => {
          if (chat.id !== undefined && message.seq !== undefined) openMessage({ chatId: chat.id, seq: message.seq });
        }}
      />
    </section>
  );
}
