import type { Chat, Member, MemberRole, Person } from "messenger-client";
import { useState } from "preact/hooks";
import { AvatarEditor } from "../avatars/avatar-editor.tsx";
import { ChatAvatar, PersonAvatar } from "../avatars/avatars.tsx";
import { fullName, PeopleSearch } from "../chats/people-search.tsx";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";
import { Confirmation, Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { below, Menu, type MenuItem, type MenuPosition } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";

const roleNames: Readonly<Record<MemberRole, string>> = { owner: "Owner", admin: "Admin", member: "" };

interface Question {
  title: string;
  text: string;
  action: string;
  run(): Promise<unknown>;
}

/** The members of a group, and everything that the user's role allows. */
export function GroupInfo({ chat, onClose }: { chat: Chat; onClose(): void }) {
  const summary = useObservable(chat.summary);
  const { title, role } = summary;
  const members = useObservable(chat.members);
  const [question, setQuestion] = useState<Question>();
  const [isAdding, setAdding] = useState(false);
  const isAdmin = role === "owner" || role === "admin";
  const run = (work: Promise<unknown>) => void work.catch((error) => showNotice(errorText(error)));
  const leave = async () => {
    await chat.leave();
    onClose();
    navigate("/");
  };
  const remove = async () => {
    await chat.deleteGroup();
    onClose();
    navigate("/");
  };
  const add = async (person: Person) => {
    await chat.add(person.id);
    showNotice(`${fullName(person)} was added.`);
  };
  return (
    <Dialog title="Group info" onClose={onClose}>
      {isAdmin ? (
        <>
          <AvatarEditor
            avatar={<ChatAvatar chat={summary} size="large" />}
            hasPicture={summary.avatarId !== undefined}
            owner={chat.id === undefined ? {} : { groupId: chat.id }}
          />
          <GroupName chat={chat} name={title} />
        </>
      ) : (
        <div class="group-head">
          <ChatAvatar chat={summary} size="large" />
          <p class="group-name" dir="auto">
            {title}
          </p>
        </div>
      )}
      {isAdding ? (
        <>
          <PeopleSearch
            without={new Set(members.map(({ userId }) => userId))}
            onChoose={(person) => run(add(person))}
          />
          <div class="actions">
            <button type="button" class="button" onClick={() => setAdding(false)}>
              Done
            </button>
          </div>
        </>
      ) : (
        <>
          <button type="button" class="result result-action" onClick={() => setAdding(true)}>
            <Icon name="plus" />
            Add people
          </button>
          <ul class="result-list" aria-label="Members">
            {members.map((member) => (
              <MemberRow
                key={member.userId}
                chat={chat}
                member={member}
                role={role}
                ask={setQuestion}
                run={run}
                onClose={onClose}
              />
            ))}
          </ul>
          <div class="actions actions-spread">
            <button
              type="button"
              class="button button-danger-quiet"
              onClick={() =>
                setQuestion({
                  title: "Leave this group?",
                  text:
                    role === "owner" && members.length > 1
                      ? "You no longer receive its messages. Another member becomes the owner."
                      : "You no longer receive or read its messages.",
                  action: "Leave group",
                  run: leave,
                })
              }
            >
              Leave group
            </button>
            {role === "owner" && (
              <button
                type="button"
                class="button button-danger-quiet"
                onClick={() =>
                  setQuestion({
                    title: "Delete this group?",
                    text: "The group and all its messages are deleted for everybody.",
                    action: "Delete group",
                    run: remove,
                  })
                }
              >
                Delete group
              </button>
            )}
          </div>
        </>
      )}
      {question && (
        <Confirmation {...question} onConfirm={() => run(question.run())} onClose={() => setQuestion(undefined)} />
      )}
    </Dialog>
  );
}

function GroupName({ chat, name }: { chat: Chat; name: string }) {
  const [next, setNext] = useState<string>();
  const [error, setError] = useState<string>();
  if (next === undefined) {
    return (
      <p class="group-name">
        <span dir="auto">{name}</span>
        <button type="button" class="link-button" onClick={() => setNext(name)}>
          Rename
        </button>
      </p>
    );
  }
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await chat.rename(next.trim());
      setNext(undefined);
    } catch (failure) {
      setError(errorText(failure));
    }
  };
  return (
    <form class="rename" onSubmit={save} noValidate>
      <Field label="Group name" value={next} onInput={setNext} error={error} maxLength={64} autofocus />
      <button type="submit" class="button button-primary">
        Save
      </button>
      <button type="button" class="button" onClick={() => setNext(undefined)}>
        Cancel
      </button>
    </form>
  );
}

interface MemberRowProps {
  chat: Chat;
  member: Member;
  /** The user's own role. */
  role: MemberRole | undefined;
  ask(question: Question): void;
  run(work: Promise<unknown>): void;
  onClose(): void;
}

function MemberRow({ chat, member, role, ask, run, onClose }: MemberRowProps) {
  const [menu, setMenu] = useState<MenuPosition>();
  const name = fullName(member);
  const isMe = member.userId === messenger.user.value?.id;
  const write = () => {
    onClose();
    navigate(chatPath(messenger.dialogWith(member.userId).summary.value));
  };
  const items: MenuItem[] = [{ label: "Send a message", run: write }];
  if (role === "owner") {
    if (member.role === "member")
      items.push({ label: "Make admin", run: () => run(chat.setRole(member.userId, "admin")) });
    if (member.role === "admin")
      items.push({ label: "Make member", run: () => run(chat.setRole(member.userId, "member")) });
    const transfer: Question = {
      title: `Make ${name} the owner?`,
      text: "You become an admin.",
      action: "Make owner",
      run: () => chat.transferOwnership(member.userId),
    };
    items.push({ label: "Make owner", run: () => ask(transfer) });
  }
  if (role === "owner" || (role === "admin" && member.role === "member")) {
    const remove: Question = {
      title: `Remove ${name}?`,
      text: "This person no longer receives or reads the messages of this group.",
      action: "Remove",
      run: () => chat.remove(member.userId),
    };
    items.push({ label: "Remove from group", isDangerous: true, run: () => ask(remove) });
  }
  return (
    <li class="result">
      <PersonAvatar name={name} userId={member.userId} />
      <span dir="auto">
        {name}
        {isMe && <span class="hint"> (you)</span>}
      </span>
      <span class="role">{member.role && roleNames[member.role]}</span>
      {!isMe && (
        <button
          type="button"
          class="icon-button"
          aria-label="Member actions"
          aria-haspopup="menu"
          title={`Actions for ${name}`}
          onClick={(event) => setMenu(below(event.currentTarget))}
        >
          <Icon name="more" />
        </button>
      )}
      {menu && <Menu label={`Actions for ${name}`} at={menu} items={items} onClose={() => setMenu(undefined)} />}
    </li>
  );
}
