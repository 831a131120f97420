import type { Transaction } from "sequelize";
import type { AuditEntry, AuditOrigin, AuditRecord } from "../../../domain/administration.ts";
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

/** Which actions are listed. */
export interface AuditFilter {
  actorId?: number | undefined;
  action?: string | undefined;
  targetType?: string | undefined;
  targetId?: number | undefined;
}

const conditions: Record<keyof AuditFilter, string> = {
  actorId: "AND actor_id = $actorId",
  action: "AND action = $action",
  targetType: "AND target_type = $targetType",
  targetId: "AND target_id = $targetId",
};

/**
 * Returns a page of the recorded actions, the latest first. Indexes: the primary key of audit_log, audit_log_actor,
 * audit_log_action, audit_log_target.
 * @param page.before only those with a smaller id
 */
export function auditRecords(
  database: Database,
  filter: AuditFilter,
  page: { before: number; limit: number },
): Promise<AuditRecord[]> {
  const chosen = Object.entries(conditions).filter(([name]) => filter[name as keyof AuditFilter] !== undefined);
  return select<AuditRecord>(
    database,
    `SELECT id, at, actor_id AS "actorId", source, action, target_type AS "targetType", target_id AS "targetId",
            details, address
       FROM audit_log
      WHERE id < $before ${chosen.map(([, condition]) => condition).join(" ")}
      ORDER BY id DESC
      LIMIT $limit`,
    { ...filter, ...page },
  );
}

const purgeChunkSize = 1000;

/** Deletes a chunk of the actions that are older than this. Index: audit_log_at. @returns how many it deleted */
export async function purgeAuditLog(database: Database, retentionMs: number): Promise<number> {
  const rows = await select(
    database,
    `DELETE FROM audit_log
      WHERE id IN (SELECT id FROM audit_log
                    WHERE at < clock_timestamp() - make_interval(secs => $retentionMs / 1000.0)
                    ORDER BY at
                    LIMIT $purgeChunkSize
                      FOR UPDATE SKIP LOCKED)
  RETURNING id`,
    { retentionMs, purgeChunkSize },
  );
  return rows.length;
}
