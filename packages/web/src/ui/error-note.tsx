import type { ComponentChildren } from "preact";

interface ErrorNoteProps {
  children: ComponentChildren;
  retry?(): void;
}

/** Why something failed, which is read out at once, with a button that tries it again. */
export const ErrorNote = ({ children, retry }: ErrorNoteProps) => (
  <p class="error" role="alert">
    {children}
    {retry && (
      <>
        {" "}
        <button type="button" class="link-button" onClick={retry}>
          Try again
        </button>
      </>
    )}
  </p>
);
