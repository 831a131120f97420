/* Administration: who may do what, and the record of what was done. */

/** What a user may do on the server. Administrators manage it; they cannot read messages. */
export const userRoles = ["user", "admin"] as const;
export type UserRole = (typeof userRoles)[number];

/** How an action reached the server: a request, the command line, or the server itself. */
export const auditSources = ["http", "cli", "system"] as const;

/** Who acts. */
export interface AuditOrigin {
  source: (typeof auditSources)[number];
  /** The administrator; null on the command line and for the server itself. */
  actorId: number | null;
  /** The network address of a request. */
  address: string | null;
}

/** An administrator's action on the command line. */
export const fromCommandLine: AuditOrigin = { source: "cli", actorId: null, address: null };

export const auditActions = [
  "setup",
  "user.create",
  "user.update",
  "user.role",
  "user.suspend",
  "user.resume",
  "user.reset-password",
  "user.revoke-sessions",
  "user.delete",
  "user.erase",
  "group.owner",
  "group.delete",
  "invite.create",
  "invite.revoke",
  "data.repair",
  "data.restore",
  "data.new-epoch",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One action, as it is recorded. */
export interface AuditEntry {
  action: AuditAction;
  target?: { type: "user" | "group" | "invite" | "chat"; id: number };
  /** Ids, names of changed fields and roles. Never names, addresses, tokens or links. */
  details?: Record<string, unknown>;
}
