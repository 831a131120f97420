import type { GetInvitesAnswer, Invite } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { fullTimeOf } from "../dates.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { InviteDialog } from "./invite-dialog.tsx";
import { isUsable, peopleOf } from "./invite-words.ts";
import { Section } from "./section.tsx";

/** The user's invites that still work, for those who may invite people. */
export function InvitesSection() {
  const user = useObservable(messenger.user);
  const info = useObservable(messenger.info);
  const mayInvite = user?.role === "admin" || info?.invitesBy === "members";
  return mayInvite ? <Invites userId={user?.id} /> : null;
}

function Invites({ userId }: { userId: number | undefined }) {
  const [invites, setInvites] = useState<readonly Invite[]>([]);
  const [isInviting, setInviting] = useState(false);
  const { state } = useObservable(messenger.connection);
  const load = () =>
    messenger.call<GetInvitesAnswer>("GET", "/invites?limit=100").then(
      ({ data }) => setInvites(data.filter((invite) => invite.createdBy === userId && isUsable(invite))),
      () => {}, // Read again with the next connection.
    );
  useEffect(() => {
    if (state === "live") void load();
  }, [state]);
  const revoke = (id: number) =>
    messenger.call("DELETE", `/invites/${id}`).then(load, (error) => showNotice(errorText(error)));
  return (
    <Section title="Invites">
      {invites.length > 0 && (
        <ul class="result-list">
          {invites.map((invite) => (
            <li key={invite.id} class="result">
              <span>
                For <bdi>{peopleOf(invite)}</bdi>
                <span class="hint hint-line">
                  {invite.maxUses > 1 && `Used ${invite.uses} times. `}Until {fullTimeOf(invite.expiresAt)}
                </span>
              </span>
              <button
                type="button"
                class="button"
                aria-label={`Revoke the invite for ${peopleOf(invite)}`}
                onClick={() => void revoke(invite.id)}
              >
                Revoke
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" class="button" onClick={() => setInviting(true)}>
        Invite people
      </button>
      {isInviting && <InviteDialog onCreated={() => void load()} onClose={() => setInviting(false)} />}
    </Section>
  );
}
