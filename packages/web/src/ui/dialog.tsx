import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { Notice, useNoticesInside } from "./notice.tsx";

/** Opens a dialog over the page while it is there, and gives the focus back at its end, if nothing else has it by then. */
function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      // Runs after the paint, when a message that was jumped to already has the focus.
      if (document.activeElement === document.body && before instanceof HTMLElement) before.focus();
    };
  }, []);
  return dialog;
}

interface DialogProps {
  title: string;
  class?: string;
  onClose(): void;
  /** For keys of the dialog, wherever in it the focus is. */
  onKeyDown?(event: KeyboardEvent): void;
  children: ComponentChildren;
}

/** A dialog over the page. Escape and a click beside it close it. */
export function Dialog({ title, class: className, onClose, onKeyDown, children }: DialogProps) {
  const dialog = useModal();
  const titleId = useId();
  useNoticesInside();
  return (
    <dialog
      ref={dialog}
      class={className}
      aria-labelledby={titleId}
      onClose={onClose}
      onCancel={onClose}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="dialog-content">
        <header class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
      <Notice isInDialog />
    </dialog>
  );
}

interface ConfirmationProps {
  title: string;
  text: string;
  /** Of the button: begins with the verb. */
  action: string;
  /** Whether something is lost. */
  isDangerous?: boolean;
  onConfirm(): void;
  onClose(): void;
}

/** Asks before something that has consequences. */
export function Confirmation({ title, text, action, isDangerous = true, onConfirm, onClose }: ConfirmationProps) {
  const dialog = useModal();
  const [titleId, textId] = [useId(), useId()];
  return (
    <dialog
      ref={dialog}
      role="alertdialog"
      class="confirmation"
      aria-labelledby={titleId}
      aria-describedby={textId}
      onClose={onClose}
      onCancel={onClose}
    >
      <div class="dialog-content">
        <h2 id={titleId}>{title}</h2>
        <p id={textId}>{text}</p>
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="button"
            class={isDangerous ? "button button-danger" : "button button-primary"}
            onClick={() => {
              onClose();
              onConfirm();
            }}
          >
            {action}
          </button>
        </div>
      </div>
    </dialog>
  );
}
