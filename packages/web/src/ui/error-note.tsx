import type { ComponentChildren } from "preact";

/** Why something failed, which is read out at once. */
export const ErrorNote = ({ children }: { children: ComponentChildren }) => (
  <p class="error" role="alert">
    {children}
  </p>
);
