import type { PostInvitesAnswer } from "messenger-client";
import { useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { FormEnd, useForm } from "../ui/form.tsx";
import { LinkToCopy } from "../ui/link-to-copy.tsx";
import { useObservable } from "../use-observable.ts";

const periods: readonly [hours: number, label: string][] = [
  [24, "One day"],
  [7 * 24, "One week"],
  [30 * 24, "30 days"],
];

/** Creates an invite and shows its link, which the server gives out once. */
export function InviteDialog({ onCreated, onClose }: { onCreated(): void; onClose(): void }) {
  const [link, setLink] = useState<string>();
  const finish = ({ url }: PostInvitesAnswer) => {
    setLink(url);
    onCreated();
  };
  return (
    <Dialog title="Invite people" onClose={onClose}>
      {link === undefined ? (
        <InviteForm onCreated={finish} />
      ) : (
        <LinkToCopy url={link} onClose={onClose}>
          Send this link to the people you invite.
        </LinkToCopy>
      )}
    </Dialog>
  );
}

function InviteForm({ onCreated }: { onCreated(created: PostInvitesAnswer): void }) {
  const groups = useObservable(messenger.chats).filter(({ kind }) => kind === "group");
  const [email, setEmail] = useState("");
  const [people, setPeople] = useState("1");
  const [hours, setHours] = useState(7 * 24);
  const [groupIds, setGroupIds] = useState<ReadonlySet<number>>(new Set());
  const toggle = (id: number) => {
    const changed = new Set(groupIds);
    if (!changed.delete(id)) changed.add(id);
    setGroupIds(changed);
  };
  const create = async () => {
    const body = {
      ...(email.trim() ? { email: email.trim() } : { maxUses: Number(people) }),
      ...(groupIds.size > 0 && { groupIds: [...groupIds] }),
      expiresInHours: hours,
    };
    onCreated(await messenger.call<PostInvitesAnswer>("POST", "/invites", body));
  };
  const form = useForm({
    fields: {
      email: undefined,
      maxUses: email.trim() || /^[1-9]\d{0,3}$/.test(people) ? undefined : "Enter a number from 1 to 9999.",
    },
    send: create,
    onSent: () => {},
  });
  return (
    <form class="invite" onSubmit={form.submit} noValidate>
      <Field
        label="E-mail"
        type="email"
        value={email}
        onInput={setEmail}
        error={form.errors.email}
        placeholder="Anybody with the link"
        hint="With an address, only this one can create an account."
        autofocus
      />
      {!email.trim() && (
        <Field
          label="For how many people"
          value={people}
          onInput={setPeople}
          error={form.errors.maxUses}
          maxLength={4}
        />
      )}
      <fieldset class="choices">
        <legend>The link works for</legend>
        {periods.map(([value, label]) => (
          <label key={value}>
            <input type="radio" name="period" checked={hours === value} onChange={() => setHours(value)} />
            {label}
          </label>
        ))}
      </fieldset>
      {groups.length > 0 && (
        <fieldset class="choices choices-list">
          <legend>They join these groups</legend>
          {groups.map(
            ({ id, title }) =>
              id !== undefined && (
                <label key={id}>
                  <input type="checkbox" checked={groupIds.has(id)} onChange={() => toggle(id)} />
                  <bdi>{title}</bdi>
                </label>
              ),
          )}
        </fieldset>
      )}
      <FormEnd error={form.general} label="Create link" isBusy={form.isBusy} />
    </form>
  );
}
