import type { ManagedGroup } from "messenger-client";
import { useState } from "preact/hooks";
import { urlOf } from "../avatars/avatars.tsx";
import { messenger } from "../messenger.ts";
import { Avatar } from "../ui/avatar.tsx";
import type { MenuItem } from "../ui/menu.tsx";
import { showNotice } from "../ui/notice.tsx";
import { count, formatTime } from "./format.ts";
import { ManagedList } from "./managed-list.tsx";
import { NewOwner } from "./new-owner.tsx";
import { RowMenu } from "./row-menu.tsx";
import { SearchField } from "./toolbar.tsx";
import { useNames } from "./use-names.ts";
import { usePages } from "./use-pages.ts";
import { useQuestion } from "./use-question.tsx";

/** The groups of the server. */
export function GroupsSection() {
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<ManagedGroup>();
  const pages = usePages<ManagedGroup>("/admin/groups", { search });
  const nameOf = useNames(pages.items?.map(({ ownerId }) => ownerId) ?? []);
  const { ask, question } = useQuestion();
  const actions = (group: ManagedGroup): MenuItem[] => {
    const remove = async () => {
      await messenger.call("DELETE", `/admin/groups/${group.id}`);
      pages.remove(group.id);
      showNotice("The group is deleted.");
    };
    const deletion: MenuItem = {
      label: "Delete group",
      isDangerous: true,
      run: () =>
        ask({
          title: `Delete the group ${group.name}?`,
          text: "The group and all its messages are deleted for everybody. Its members see who has done it.",
          action: "Delete group",
          run: remove,
        }),
    };
    return group.members > 0 ? [{ label: "Change owner", run: () => setChosen(group) }, deletion] : [deletion];
  };
  return (
    <>
      <div class="toolbar">
        <SearchField label="Find groups" onSearch={setSearch} />
      </div>
      <ManagedList label="Groups" pages={pages} empty={search ? "No group has this name." : "There are no groups yet."}>
        {(group) => (
          <>
            <Avatar name={group.name} id={group.id} url={urlOf(group.avatarId)} size="small" />
            <span>
              <span class="managed-name">
                <bdi>{group.name}</bdi>
              </span>
              <span class="hint hint-line">
                {count(group.members, "member", "members")}
                {group.ownerId !== null && (
                  <>
                    {" · owner "}
                    <bdi>{nameOf(group.ownerId)}</bdi>
                  </>
                )}
              </span>
              <span class="hint hint-line">
                {group.lastMessageAt ? `Last message ${formatTime(group.lastMessageAt)}` : "No messages"}
              </span>
            </span>
            <RowMenu name={group.name} items={actions(group)} />
          </>
        )}
      </ManagedList>
      {question}
      {chosen && (
        <NewOwner
          group={chosen}
          onChanged={(ownerId) => pages.replace({ ...chosen, ownerId })}
          onClose={() => setChosen(undefined)}
        />
      )}
    </>
  );
}
