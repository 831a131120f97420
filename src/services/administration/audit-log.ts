import type { Database } from "../../db/connect.ts";
import { type AuditFilter, auditRecords } from "../../db/queries/administration/audit.ts";
import type { AuditRecord } from "../../domain/administration.ts";
import { isId, type Page, readCursor, toPage } from "../page.ts";

/** What administrators have done. Written with each action (`recordAction`), and otherwise only read. */
export class AuditLog {
  constructor(private readonly options: { database: Database }) {}

  /** Lists actions, the latest first. */
  async list(input: AuditFilter & { limit: number; cursor?: string | undefined }): Promise<Page<AuditRecord>> {
    const { limit, cursor, ...filter } = input;
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(cursor, isId);
    const records = await auditRecords(this.options.database, filter, { before, limit: limit + 1 });
    return toPage(records, limit, ({ id }) => id);
  }
}
