import type { Chat, Message, Reader } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { PersonAvatar } from "../avatars/avatars.tsx";
import { fullName } from "../chats/people-search.tsx";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";

/** The members who have read a message. */
export function ReadersDialog({ chat, message, onClose }: { chat: Chat; message: Message; onClose(): void }) {
  const [readers, setReaders] = useState<readonly Reader[]>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    const { messageId } = message;
    if (messageId === undefined) return;
    const myId = messenger.user.value?.id;
    chat.readers(messageId).then(
      (found) => setReaders(found.filter(({ userId }) => userId !== myId && userId !== message.senderId)),
      (failure) => setError(errorText(failure)),
    );
  }, [message]);
  return (
    <Dialog title="Read by" onClose={onClose}>
      {error && <ErrorNote>{error}</ErrorNote>}
      {readers?.length === 0 && <p class="empty">Nobody has read it yet.</p>}
      <ul class="result-list">
        {readers?.map((reader) => (
          <li key={reader.userId} class="result">
            <PersonAvatar name={fullName(reader)} userId={reader.userId} />
            <span dir="auto">{fullName(reader)}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
