import { useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { isOnlyForLinks } from "./only-for-links.ts";
import { showChats } from "./routing.ts";
import { Card } from "./ui/card.tsx";

/** What follows the creation of an account: the chats, or `AccountReady` where there is no web client. */
export function useNewAccount() {
  const [isReady, setReady] = useState(false);
  const finish = async () => {
    if (!isOnlyForLinks) return showChats();
    await messenger.logout({ discard: true });
    setReady(true);
  };
  return { isReady, finish };
}

export const AccountReady = () => (
  <Card subtitle="Your account is ready.">
    <p>Log in with the app that you use for this server.</p>
  </Card>
);
