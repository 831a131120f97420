import type { Invite } from "messenger-client";

export const isUsable = ({ revokedAt, uses, maxUses, expiresAt }: Invite): boolean =>
  revokedAt === null && uses < maxUses && Date.parse(expiresAt) > Date.now();

/** For whom an invite is. */
export const peopleOf = ({ email, maxUses }: Invite): string =>
  email ?? (maxUses === 1 ? "one person" : `${maxUses} people`);
