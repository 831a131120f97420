import type { ComponentType } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";
import { showNotice } from "../ui/notice.tsx";

interface PickerProps {
  onChoose(emoji: string): void;
  onClose(): void;
}

/** Opens the emoji, which are loaded then. */
export function EmojiButton({ onChoose }: { onChoose(emoji: string): void }) {
  const [Picker, setPicker] = useState<ComponentType<PickerProps>>();
  const [isOpen, setOpen] = useState(false);
  const open = async () => {
    try {
      const loaded = Picker ?? (await import("./emoji-picker.tsx")).EmojiPicker;
      setPicker(() => loaded);
      setOpen(!isOpen);
    } catch {
      showNotice("The emoji could not be loaded. Reload the page.");
    }
  };
  return (
    <div class="emoji">
      <button type="button" class="icon-button" aria-label="Emoji" aria-expanded={isOpen} onClick={open}>
        <Icon name="smile" />
      </button>
      {isOpen && Picker && <Picker onChoose={onChoose} onClose={() => setOpen(false)} />}
    </div>
  );
}
