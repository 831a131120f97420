import { Dialog } from "../ui/dialog.tsx";
import { EmojiPicker } from "./emoji-picker.tsx";

/** All emoji, to react with one. Loaded when it is opened. */
export function ReactionPicker({ onChoose, onClose }: { onChoose(emoji: string): void; onClose(): void }) {
  return (
    <Dialog title="React" onClose={onClose}>
      <div class="emoji emoji-in-dialog">
        <EmojiPicker
          onChoose={(emoji) => {
            onClose();
            onChoose(emoji);
          }}
          onClose={onClose}
        />
      </div>
    </Dialog>
  );
}
