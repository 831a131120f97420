import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { navigate, route } from "../routing.ts";
import { Icon } from "../ui/icon.tsx";
import { useObservable } from "../use-observable.ts";
import "./administration.css";
import { AuditSection } from "./audit-section.tsx";
import { GroupsSection } from "./groups-section.tsx";
import { InvitesSection } from "./invites-section.tsx";
import { StatisticsSection } from "./statistics-section.tsx";
import { UsersSection } from "./users-section.tsx";

/** By the part of the path behind `/administration/`. */
const sections: readonly { path: string; title: string; Content: ComponentType }[] = [
  { path: "users", title: "Users", Content: UsersSection },
  { path: "groups", title: "Groups", Content: GroupsSection },
  { path: "invites", title: "Invites", Content: InvitesSection },
  { path: "statistics", title: "Statistics", Content: StatisticsSection },
  { path: "audit", title: "Audit log", Content: AuditSection },
];

/** The administration of the server, for administrators. */
export function AdministrationPage() {
  const user = useObservable(messenger.user);
  const current = route.value;
  const shown =
    sections.find(({ path }) => current.page === "administration" && path === current.section) ?? sections[0];
  // The role may have changed since the log-in.
  useEffect(() => void messenger.updateProfile().catch(() => {}), []);
  return (
    <div class="settings administration">
      <header class="chat-header">
        <button type="button" class="icon-button back" aria-label="Back" onClick={() => navigate("/settings")}>
          <Icon name="back" />
        </button>
        <h2>Administration</h2>
      </header>
      {user?.role === "admin" && shown ? (
        <>
          <nav class="administration-sections" aria-label="Administration">
            {sections.map(({ path, title }) => (
              <a
                key={path}
                class="chip"
                href={`/administration/${path}`}
                aria-current={path === shown.path ? "page" : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          <div class="settings-sections">
            <section class="card" key={shown.path} aria-label={shown.title}>
              <shown.Content />
            </section>
          </div>
        </>
      ) : (
        <p class="page-empty">Only administrators manage this server.</p>
      )}
    </div>
  );
}
