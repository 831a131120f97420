import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { MessageResults } from "./message-results.tsx";

interface ChatSearchDialogProps {
  chatId: number;
  jumpTo(seq: number): void;
  onClose(): void;
}

/** Finds messages of one chat. */
export function ChatSearchDialog({ chatId, jumpTo, onClose }: ChatSearchDialogProps) {
  const [search, setSearch] = useState("");
  return (
    <Dialog title="Search in this chat" onClose={onClose}>
      <input
        type="search"
        class="dialog-search"
        aria-label="Find messages"
        placeholder="Words of a message"
        autofocus
        maxLength={200}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="result-list">
        <MessageResults
          query={search}
          chatId={chatId}
          onChoose={({ message }) => {
            const { seq } = message;
            onClose();
            if (seq !== undefined) jumpTo(seq);
          }}
        />
      </div>
    </Dialog>
  );
}
