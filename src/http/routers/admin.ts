import type { AuditOrigin } from "../../domain/administration.ts";
import type { Claims } from "../../domain/session.ts";
import type { Device } from "../../services/accounts/sessions.ts";

/* What the routes of administrators have in common. */

export const tag = "Administration";

/** Rows of a page unless the request says otherwise. */
export const defaultLimit = 20;

/** Who acts, for the audit log. */
export const actorOf = ({ identity, device }: { identity: Claims; device: Device }): AuditOrigin => ({
  source: "http",
  actorId: identity.userId,
  address: device.address,
});
