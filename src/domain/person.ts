import type { UserRole } from "./administration.ts";

/** A person as other people see them today. */
export interface Person {
  id: number;
  firstName: string;
  lastName: string | null;
  /** Absent where there is none, and where it is not read. */
  avatarId?: string;
}

/** An account as its owner sees it. */
export interface Profile extends Person {
  email: string;
  /** The address that the user still has to confirm: a new one, or that of the account. */
  pendingEmail: string | null;
  role: UserRole;
  /** ISO 8601. */
  createdAt: string;
}
