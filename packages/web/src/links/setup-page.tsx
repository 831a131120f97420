import { useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { AccountReady, useNewAccount } from "../new-account.tsx";
import { Registration } from "../registration.tsx";
import { Card } from "../ui/card.tsx";
import { isRejectedLink } from "./account-links.ts";
import { BrokenLink } from "./broken-link.tsx";

/** Creates the first administrator. */
export function SetupPage({ token }: { token: string }) {
  const [isBroken, setBroken] = useState(token === "");
  const { isReady, finish } = useNewAccount();
  if (isReady) return <AccountReady />;
  if (isBroken) {
    return (
      <BrokenLink>
        It has expired, was used already, or there is an administrator by now. Run <code>messenger setup-link</code> on
        the server for a new one.
      </BrokenLink>
    );
  }
  return (
    <Card subtitle="Create the administrator of this server.">
      <Registration
        create={async (account) => {
          try {
            await messenger.setup({ ...account, token });
          } catch (error) {
            if (isRejectedLink(error)) setBroken(true);
            throw error;
          }
        }}
        onRegistered={() => void finish()}
      />
    </Card>
  );
}
