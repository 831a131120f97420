import type { Transaction } from "sequelize";
import type { AuditEntry, AuditOrigin } from "../../../domain/administration.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Records an administrator's action in the transaction that carries it out, so that there is never one without the other. */
export async function recordAction(
  database: Database,
  { source, actorId, address }: AuditOrigin,
  { action, target, details = {} }: AuditEntry,
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `INSERT INTO audit_log (actor_id, source, action, target_type, target_id, details, address)
     VALUES ($actorId, $source, $action, $targetType, $targetId, $details::jsonb, $address)`,
    {
      actorId,
      source,
      action,
      targetType: target?.type ?? null,
      targetId: target?.id ?? null,
      details: JSON.stringify(details),
      address,
    },
    transaction,
  );
}
