import type { Invite } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { InviteDialog } from "../settings/invite-dialog.tsx";
import { isUsable, peopleOf } from "../settings/invite-words.ts";
import { formatTime } from "./format.ts";
import { ManagedList } from "./managed-list.tsx";
import { useNames } from "./use-names.ts";
import { usePages } from "./use-pages.ts";
import { useQuestion } from "./use-question.tsx";

/** The invites of everybody. */
export function InvitesSection() {
  const [isInviting, setInviting] = useState(false);
  const pages = usePages<Invite>("/invites");
  const nameOf = useNames(pages.items?.map(({ createdBy }) => createdBy) ?? []);
  const { ask, question } = useQuestion();
  const revoke = (invite: Invite) =>
    ask({
      title: `Revoke the invite for ${peopleOf(invite)}?`,
      text: "Its link does not work any more. Accounts that were created with it stay.",
      action: "Revoke invite",
      run: async () => {
        await messenger.call("DELETE", `/invites/${invite.id}`);
        pages.replace({ ...invite, revokedAt: new Date().toISOString() });
      },
    });
  return (
    <>
      <div class="toolbar">
        <button type="button" class="button button-primary" onClick={() => setInviting(true)}>
          Invite people
        </button>
      </div>
      <ManagedList label="Invites" pages={pages} empty="Nobody has invited anybody yet.">
        {(invite) => (
          <>
            <span>
              <span class="managed-name">
                <span>
                  For <bdi>{peopleOf(invite)}</bdi>
                </span>
              </span>
              <span class="hint hint-line">{stateOf(invite)}</span>
              <span class="hint hint-line">
                {invite.createdBy === null ? (
                  "Made on the command line"
                ) : (
                  <>
                    Made by <bdi>{nameOf(invite.createdBy)}</bdi>
                  </>
                )}
              </span>
            </span>
            {isUsable(invite) && (
              <button
                type="button"
                class="button"
                aria-label={`Revoke the invite for ${peopleOf(invite)}`}
                onClick={() => revoke(invite)}
              >
                Revoke
              </button>
            )}
          </>
        )}
      </ManagedList>
      {question}
      {isInviting && <InviteDialog onCreated={() => void pages.reload()} onClose={() => setInviting(false)} />}
    </>
  );
}

/** Whether and how long an invite works. */
function stateOf({ uses, maxUses, revokedAt, expiresAt }: Invite): string {
  const used = maxUses === 1 ? (uses === 0 ? "Not used" : "Used") : `Used ${uses} of ${maxUses} times`;
  if (revokedAt !== null) return `${used} · revoked ${formatTime(revokedAt)}`;
  if (uses >= maxUses) return used;
  return Date.parse(expiresAt) > Date.now()
    ? `${used} · works until ${formatTime(expiresAt)}`
    : `${used} · expired ${formatTime(expiresAt)}`;
}
