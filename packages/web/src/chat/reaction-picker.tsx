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
            onChoose(withoutRedundantSelectors(emoji));
          }}
          onClose={onClose}
        />
      </div>
    </Dialog>
  );
}

/** The data has a variation selector also where the emoji is shown in colour without one, and the server accepts one form. */
const withoutRedundantSelectors = (emoji: string): string => emoji.replace(/(\p{Emoji_Presentation})\ufe0f/gu, "$1");
