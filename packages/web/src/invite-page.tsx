import { type InviteDescription, MessengerError } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { errorText } from "./errors.ts";
import { messenger } from "./messenger.ts";
import { AccountReady, useNewAccount } from "./new-account.tsx";
import { Registration } from "./registration.tsx";
import { Card, LogInInstead } from "./ui/card.tsx";

/** The page that the link of an invite leads to: says who invites to which groups, and creates an account. */
export function InvitePage({ token }: { token: string }) {
  const [invite, setInvite] = useState<InviteDescription>();
  const [error, setError] = useState<unknown>();
  const { isReady, finish } = useNewAccount();
  const read = () => {
    setError(undefined);
    messenger.invite(token).then(setInvite, setError);
  };
  useEffect(read, []);
  if (isReady) return <AccountReady />;
  if (error !== undefined) return <Failure error={error} onRetry={read} />;
  if (!invite) return <Card subtitle="Reading the invite …">{null}</Card>;
  const { invitedBy, groupNames, email } = invite;
  return (
    <Card
      subtitle={
        <>
          <bdi>{invitedBy}</bdi> invites you. Create an account to chat.
        </>
      }
    >
      {groupNames.length > 0 && (
        <div class="invited-groups">
          <p>{groupNames.length === 1 ? "You will be in this group:" : "You will be in these groups:"}</p>
          <ul>
            {groupNames.map((name, index) => (
              <li key={index}>
                <bdi>{name}</bdi>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Registration
        create={(account) => messenger.register({ ...account, invite: token })}
        invitedEmail={email}
        onRegistered={() => void finish()}
      />
      <LogInInstead />
    </Card>
  );
}

function Failure({ error, onRetry }: { error: unknown; onRetry(): void }) {
  const isInvalid = error instanceof MessengerError && ["NOT_FOUND", "VALIDATION"].includes(error.code);
  return (
    <Card subtitle={isInvalid ? "This invite does not work." : "The invite could not be read."}>
      {isInvalid ? (
        <p>It has expired, was used already, or was revoked. Ask the person who invited you for a new one.</p>
      ) : (
        <>
          <p role="alert">{errorText(error)}</p>
          <button type="button" class="button button-primary" onClick={onRetry}>
            Try again
          </button>
        </>
      )}
      <LogInInstead />
    </Card>
  );
}
