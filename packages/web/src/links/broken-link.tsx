import type { ComponentChildren } from "preact";
import { isOnlyForLinks } from "../only-for-links.ts";
import { Card } from "../ui/card.tsx";

/** A link that does not work, and what to do. */
export const BrokenLink = ({ children }: { children: ComponentChildren }) => (
  <Card subtitle="This link does not work.">
    <p>{children}</p>
    <ToLogIn />
  </Card>
);

/** The way to the log-in or the chats, if there is one. */
export const ToLogIn = () =>
  isOnlyForLinks ? null : (
    <p class="switch">
      <a href="/">Go to the log-in</a>
    </p>
  );
