import type { AuditRecord, GetAdminAuditQuery } from "messenger-client";
import { useState } from "preact/hooks";
import { formatTime } from "./format.ts";
import { ManagedList } from "./managed-list.tsx";
import { Choice } from "./toolbar.tsx";
import { useNames } from "./use-names.ts";
import { usePages } from "./use-pages.ts";

/** What was done, by action. Newer servers may have others. */
const actions: readonly (readonly [action: string, words: string])[] = [
  ["setup", "Set up the server"],
  ["user.create", "Created an account"],
  ["user.update", "Changed an account"],
  ["user.role", "Changed the role of an account"],
  ["user.suspend", "Suspended an account"],
  ["user.resume", "Resumed an account"],
  ["user.reset-password", "Reset the password of an account"],
  ["user.revoke-sessions", "Ended the sessions of an account"],
  ["user.delete", "Deleted an account"],
  ["user.erase", "Deleted the messages of an account"],
  ["group.owner", "Changed the owner of a group"],
  ["group.delete", "Deleted a group"],
  ["invite.create", "Created an invite"],
  ["invite.revoke", "Revoked an invite"],
  ["data.repair", "Repaired chats"],
  ["data.restore", "Restored a backup"],
  ["data.new-epoch", "Began a new epoch"],
];
const wordsOf = new Map(actions);
const choices = [["", "All actions"], ...actions] as const;

/** What administrators have done, the latest first. */
export function AuditSection() {
  const [action, setAction] = useState("");
  const pages = usePages<AuditRecord>("/admin/audit", { action } satisfies GetAdminAuditQuery);
  const people = pages.items?.flatMap(({ actorId, targetType, targetId }) =>
    targetType === "user" ? [actorId, targetId] : [actorId],
  );
  const nameOf = useNames(people ?? []);
  return (
    <>
      <div class="toolbar">
        <Choice label="Action" options={choices} value={action} onChoose={setAction} />
      </div>
      <ManagedList label="Audit log" pages={pages} empty="Nothing of this kind was done yet.">
        {(record) => (
          <span>
            <span class="managed-name">
              <span>
                {wordsOf.get(record.action) ?? record.action}
                <Target record={record} nameOf={nameOf} />
              </span>
            </span>
            <span class="hint hint-line">
              {record.actorId !== null && (
                <>
                  <bdi>{nameOf(record.actorId)}</bdi>
                  {" · "}
                </>
              )}
              {[formatTime(record.at), sourceOf(record), ...detailsOf(record)].join(" · ")}
            </span>
          </span>
        )}
      </ManagedList>
    </>
  );
}

function Target({ record, nameOf }: { record: AuditRecord; nameOf(id: number): string }) {
  const { targetType, targetId, actorId } = record;
  if (targetId === null || (targetType === "user" && targetId === actorId)) return null;
  return (
    <>
      : <bdi>{targetType === "user" ? nameOf(targetId) : `${targetType} ${targetId}`}</bdi>
    </>
  );
}

function sourceOf({ source, address }: AuditRecord): string {
  if (source === "cli") return "on the command line";
  if (source === "system") return "by the server";
  return address ? `from ${address}` : "over HTTP";
}

const detailNames: Readonly<Record<string, string>> = {
  fields: "changed",
  groupIds: "groups",
  ownerId: "new owner is account",
  previousOwnerId: "before it was account",
  sessions: "sessions ended",
};

/** Ids, roles and names of fields, as the server has recorded them. */
const detailsOf = ({ details }: AuditRecord): string[] =>
  Object.entries(details)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value ?? "")] as const)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${detailNames[name] ?? name}: ${text}`);
