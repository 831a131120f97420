import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { showNotice } from "./notice.tsx";

interface LinkToCopyProps {
  /** As the server has answered: without its public address, the path alone. */
  url: string;
  onClose(): void;
  /** What the link is for. */
  children: ComponentChildren;
}

/** A link that the server gives out once, with a button that copies it. */
export function LinkToCopy({ url, onClose, children }: LinkToCopyProps) {
  const field = useRef<HTMLInputElement>(null);
  const link = new URL(url, location.origin).href;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      showNotice("The link is copied.");
    } catch {
      // Browsers forbid it on pages without HTTPS: the person copies the selected text.
      field.current?.select();
      showNotice("This browser does not allow to copy. The link is selected.");
    }
  };
  return (
    <div class="invite">
      <p>{children} It is shown only now.</p>
      <div class="field">
        <input ref={field} aria-label="Link" readOnly value={link} onFocus={() => field.current?.select()} />
      </div>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          Done
        </button>
        <button type="button" class="button button-primary" onClick={() => void copy()}>
          Copy link
        </button>
      </div>
    </div>
  );
}
