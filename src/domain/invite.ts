/** An invite to create an account, without its token: only the link has that. */
export interface Invite {
  id: number;
  /** The account that made it; null on the command line. */
  createdBy: number | null;
  /** The only address that may register with it; null for any. */
  email: string | null;
  /** The groups that the new account joins, as long as its creator is a member of them. */
  groupIds: number[];
  /** How many accounts may be created with it. */
  maxUses: number;
  uses: number;
  expiresAt: Date;
  revokedAt: Date | null;
}
