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

/** An action as it was recorded. */
export interface AuditRecord extends AuditOrigin {
  id: number;
  at: Date;
  action: string;
  targetType: string | null;
  targetId: number | null;
  details: Record<string, unknown>;
}

/** Whether somebody can log in. Deleted accounts have neither status. */
export const accountStatuses = ["active", "suspended"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

/** An account as administrators see it. */
export interface ManagedUser {
  id: number;
  email: string;
  firstName: string;
  lastName: string | null;
  avatarId?: string;
  role: UserRole;
  createdAt: Date;
  /** When the last device disconnected; null for an account that has never been online. */
  lastSeenAt: Date | null;
  suspendedAt: Date | null;
  /** The number of active sessions. */
  sessions: number;
  /** The number of messages written and not deleted, counted up to `maxCountedMessages`. */
  messages: number;
}

/** Counting more messages of each account would make the list slow. */
export const maxCountedMessages = 10_000;

/** A group as administrators see it. */
export interface ManagedGroup {
  id: number;
  name: string;
  avatarId?: string;
  /** How many there are. */
  members: number;
  /** Null for a group without owner. */
  ownerId: number | null;
  createdAt: Date;
  lastMessageAt: Date | null;
}

/** How much the server is used. */
export interface Statistics {
  /** Accounts. */
  users: number;
  /** Accounts that were used in the last 24 hours, 7 days and 30 days. */
  active: { day: number; week: number; month: number };
  /** Open sockets on all processes. */
  sockets: number;
  /** Groups, and dialogs with a message. */
  chats: number;
  /** Messages written in these chats, those of the server included. */
  messages: number;
  /** Messages written on each of the last 30 days in UTC; today is the last one. */
  messagesPerDay: number[];
  databaseBytes: number;
  fileBytes: number;
}

/** The number of days in `messagesPerDay`. */
export const statisticsDays = 30;
