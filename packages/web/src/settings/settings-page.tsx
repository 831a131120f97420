import type { ListedSession, Person } from "messenger-client";
import { MessengerError } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { AvatarEditor } from "../avatars/avatar-editor.tsx";
import { urlOf } from "../avatars/avatars.tsx";
import { fullName } from "../chats/people-search.tsx";
import { fullTimeOf } from "../dates.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { notifications, setSound, setTheme, sound, type Theme, theme } from "../preferences.ts";
import { navigate } from "../routing.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Confirmation, Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { FormEnd, useForm, useValues } from "../ui/form.tsx";
import { Icon } from "../ui/icon.tsx";
import { NameFields, trimmedName } from "../ui/name-fields.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { InvitesSection } from "./invites-section.tsx";
import { Section } from "./section.tsx";

/** Everything about the user's own account and this device. */
export function SettingsPage() {
  const info = useObservable(messenger.info);
  return (
    <div class="settings">
      <header class="chat-header">
        <button type="button" class="icon-button back" aria-label="Back" onClick={() => navigate("/")}>
          <Icon name="back" />
        </button>
        <h2>Settings</h2>
      </header>
      <div class="settings-sections">
        <ProfileSection />
        <AppearanceSection />
        <PasswordSection />
        <SessionsSection />
        <InvitesSection />
        <AdministrationSection />
        <BlockedSection />
        <Section title="About">
          <p>
            {info?.name ?? "Messenger"} {info && `(version ${info.version})`}
          </p>
          <p>
            <a href="/api/" target="_blank" rel="noopener">
              For developers
            </a>
          </p>
        </Section>
        <EndSection />
      </div>
    </div>
  );
}

/** The way to the administration, for administrators. */
function AdministrationSection() {
  const user = useObservable(messenger.user);
  // Somebody may have made the user an administrator.
  useEffect(() => void messenger.updateProfile().catch(() => {}), []);
  if (user?.role !== "admin") return null;
  return (
    <Section title="Server">
      <p>You manage the accounts and groups of this server.</p>
      <p>
        <a href="/administration">Administration</a>
      </p>
    </Section>
  );
}

function ProfileSection() {
  const user = useObservable(messenger.user);
  const [name, changeName] = useValues({ firstName: user?.firstName ?? "", lastName: user?.lastName ?? "" });
  const [email, setEmail] = useState(user?.email ?? "");
  const [password, setPassword] = useState("");
  const isNewEmail = email.trim() !== user?.email;
  const pendingEmail = user?.pendingEmail;
  const save = async () => {
    const { firstName, lastName } = trimmedName(name);
    const saved = await messenger.updateProfile({
      firstName,
      lastName: lastName || null,
      ...(isNewEmail && { email: email.trim(), password }),
    });
    setPassword("");
    // A new address that has to be confirmed takes effect then.
    setEmail(saved.email);
  };
  const { errors, general, isBusy, submit } = useForm({
    fields: { firstName: undefined, lastName: undefined, email: undefined, password: undefined },
    send: save,
    onSent: () => showNotice("Your profile is saved."),
  });
  return (
    <Section title="Profile">
      {user && (
        <AvatarEditor
          avatar={<Avatar name={fullName(user)} id={user.id} url={urlOf(user.avatarId)} size="large" />}
          hasPicture={user.avatarId !== undefined}
        />
      )}
      <form onSubmit={submit} noValidate>
        <NameFields value={name} onInput={changeName} errors={errors} />
        <Field
          label="E-mail"
          type="email"
          value={email}
          onInput={setEmail}
          error={errors.email}
          hint={pendingEmail ? pendingHint(pendingEmail, user.email) : undefined}
        />
        {isNewEmail && (
          <Field
            label="Password"
            type="password"
            autocomplete="current-password"
            value={password}
            onInput={setPassword}
            error={errors.password}
            hint="Needed for another e-mail address."
          />
        )}
        <FormEnd error={general} label="Save" isBusy={isBusy} />
      </form>
    </Section>
  );
}

const pendingHint = (pendingEmail: string, email: string): string =>
  pendingEmail === email
    ? "Not confirmed yet: open the link in the mail to this address."
    : `${pendingEmail} replaces it once you have opened the link in the mail to it.`;

const themes: readonly [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function AppearanceSection() {
  const setNotifications = async (isOn: boolean) => {
    if (!isOn) notifications.value = "off";
    else if (!("Notification" in window)) showNotice("This browser has no notifications.");
    else if ((await Notification.requestPermission()) === "granted") notifications.value = "on";
    else showNotice("The browser does not allow notifications of this page.");
  };
  return (
    <Section title="Appearance and notifications">
      <fieldset class="choices">
        <legend>Theme</legend>
        {themes.map(([value, label]) => (
          <label key={value}>
            <input type="radio" name="theme" checked={theme.value === value} onChange={() => setTheme(value)} />
            {label}
          </label>
        ))}
      </fieldset>
      <label class="toggle">
        <input
          type="checkbox"
          checked={notifications.value === "on"}
          onChange={(event) => void setNotifications(event.currentTarget.checked)}
        />
        On this device, notify me of new messages while Messenger is open in another tab or window
      </label>
      <label class="toggle">
        <input
          type="checkbox"
          checked={sound.value === "on"}
          onChange={(event) => {
            setSound(event.currentTarget.checked ? "on" : "off");
          }}
        />
        Play a sound with them
      </label>
    </Section>
  );
}

function PasswordSection() {
  const [oldPassword, setOldPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const save = async () => {
    await messenger.call("PUT", "/users/me/password", { oldPassword, newPassword });
    setOldPassword("");
    setNewPassword("");
  };
  const { errors, general, isBusy, submit } = useForm({
    fields: { oldPassword: undefined, newPassword: undefined, password: undefined },
    send: save,
    onSent: () => showNotice("Your password is changed. All other devices are logged out."),
  });
  return (
    <Section title="Password">
      <form onSubmit={submit} noValidate>
        <Field
          label="Old password"
          type="password"
          autocomplete="current-password"
          value={oldPassword}
          onInput={setOldPassword}
          error={errors.oldPassword ?? errors.password}
        />
        <Field
          label="New password"
          type="password"
          autocomplete="new-password"
          value={newPassword}
          onInput={setNewPassword}
          error={errors.newPassword}
          hint="At least 8 characters. All other devices are logged out."
        />
        <FormEnd error={general} label="Change password" isBusy={isBusy} />
      </form>
    </Section>
  );
}

function SessionsSection() {
  const [sessions, setSessions] = useState<readonly ListedSession[]>([]);
  const { state } = useObservable(messenger.connection);
  const load = () =>
    messenger.call<{ data: ListedSession[] }>("GET", "/auth/sessions").then(
      ({ data }) => setSessions(data),
      () => {}, // Read again with the next connection.
    );
  useEffect(() => {
    if (state === "live") void load();
  }, [state]);
  const end = (path: string) => messenger.call("DELETE", path).then(load, (error) => showNotice(errorText(error)));
  return (
    <Section title="Devices">
      <ul class="result-list">
        {sessions.map(({ id, userAgent, lastUsedAt, current }) => (
          <li key={id} class="result">
            <span>
              {deviceName(userAgent)}
              <span class="hint hint-line">{current ? "This device" : `Last used ${fullTimeOf(lastUsedAt)}`}</span>
            </span>
            {!current && (
              <button
                type="button"
                class="button"
                aria-label={`Log out ${deviceName(userAgent)}`}
                onClick={() => void end(`/auth/sessions/${id}`)}
              >
                Log out
              </button>
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <button type="button" class="button" onClick={() => void end("/auth/sessions")}>
          Log out all other devices
        </button>
      )}
    </Section>
  );
}

/** The browser and system that a user agent names. */
function deviceName(userAgent: string | null): string {
  if (!userAgent) return "Unknown device";
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(`${name}/`));
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].find((name) => userAgent.includes(name));
  if (!browser) return userAgent.slice(0, 60);
  const name = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return system ? `${name} on ${system.replace("Mac OS", "a Mac")}` : name;
}

function BlockedSection() {
  const [blocked, setBlocked] = useState<readonly Person[]>([]);
  const load = () =>
    messenger.call<{ data: Person[] }>("GET", "/users/me/blocks").then(
      ({ data }) => setBlocked(data),
      () => {}, // Without a connection there is nothing to show.
    );
  useEffect(() => void load(), []);
  if (blocked.length === 0) return null;
  const unblock = (id: number) =>
    messenger.call("DELETE", `/users/me/blocks/${id}`).then(load, (error) => showNotice(errorText(error)));
  return (
    <Section title="Blocked people">
      <ul class="result-list">
        {blocked.map((person) => (
          <li key={person.id} class="result">
            <span dir="auto">{fullName(person)}</span>
            <button
              type="button"
              class="button"
              aria-label={`Unblock ${fullName(person)}`}
              onClick={() => void unblock(person.id)}
            >
              Unblock
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Logging out, and deleting the account. */
function EndSection() {
  const [isUnsent, setUnsent] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const logOut = async (discard: boolean) => {
    try {
      await messenger.logout({ discard });
    } catch (error) {
      if (error instanceof MessengerError && error.code === "UNSENT") setUnsent(true);
      else showNotice(errorText(error));
    }
  };
  return (
    <section class="card" aria-label="Account">
      <div class="actions actions-spread">
        <button type="button" class="button" onClick={() => void logOut(false)}>
          Log out
        </button>
        <button type="button" class="button button-danger-quiet" onClick={() => setDeleting(true)}>
          Delete account
        </button>
      </div>
      {isUnsent && (
        <Confirmation
          title="Log out with unsent messages?"
          text="Some messages are not sent yet. They are lost if you log out now."
          action="Log out and discard them"
          onConfirm={() => void logOut(true)}
          onClose={() => setUnsent(false)}
        />
      )}
      {isDeleting && <DeleteAccount onClose={() => setDeleting(false)} />}
    </section>
  );
}

function DeleteAccount({ onClose }: { onClose(): void }) {
  const [password, setPassword] = useState("");
  const { errors, general, isBusy, submit } = useForm({
    fields: { password: undefined },
    send: () => messenger.call("DELETE", "/users/me", { password }),
    onSent: () => showNotice("Your account is deleted."),
  });
  return (
    <Dialog title="Delete account" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <p>
          Your name and e-mail address are erased, and you leave all groups. Your messages stay in other people's chats
          as those of a deleted user. This cannot be undone.
        </p>
        <Field
          label="Password"
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={setPassword}
          error={errors.password ?? general}
          autofocus
        />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-danger" aria-disabled={isBusy}>
            Delete account for ever
          </button>
        </div>
      </form>
    </Dialog>
  );
}
