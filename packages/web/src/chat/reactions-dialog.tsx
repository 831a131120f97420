import type { Chat, Message, ReactionRow } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { PersonAvatar } from "../avatars/avatars.tsx";
import { fullName } from "../chats/people-search.tsx";
import { errorText } from "../errors.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/** Who reacts to a message, and with which emoji. */
export function ReactionsDialog({ chat, message, onClose }: { chat: Chat; message: Message; onClose(): void }) {
  const [reactions, setReactions] = useState<readonly ReactionRow[]>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    const { messageId } = message;
    if (messageId === undefined) return;
    chat.reactions(messageId).then(setReactions, (failure) => setError(errorText(failure)));
  }, [message]);
  return (
    <Dialog title="Reactions" onClose={onClose}>
      {error && <ErrorNote>{error}</ErrorNote>}
      {reactions?.length === 0 && <p class="empty">Nobody reacts to it any more.</p>}
      <ul class="result-list">
        {reactions?.map((reaction) => (
          <li key={`${reaction.userId} ${reaction.emoji}`} class="result">
            <PersonAvatar name={fullName(reaction)} userId={reaction.userId} />
            <span dir="auto">{fullName(reaction)}</span>
            <span class="result-emoji">{reaction.emoji}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
