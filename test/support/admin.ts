import type { TestMessenger, TestUser } from "./messenger.ts";

/* Administrators, for tests of what they may do. */

/** A registered administrator. */
export async function admin(messenger: TestMessenger, firstName?: string): Promise<TestUser> {
  const person = await messenger.person(firstName);
  await messenger.sql("UPDATE users SET role = 'admin' WHERE id = $id", { id: person.id });
  return person;
}

/** The recorded actions with this target or by this administrator, the first one at the start. */
export const audited = (messenger: TestMessenger, { id }: { id: number }) =>
  messenger.sql<{ source: string; actorId: number | null; action: string; targetId: number | null; details: object }>(
    `SELECT source, actor_id AS "actorId", action, target_id AS "targetId", details
       FROM audit_log WHERE target_id = $id OR actor_id = $id ORDER BY id`,
    { id },
  );

/** The token behind "#" of a link. */
export const tokenOf = (link: string): string => new URL(link, "http://localhost").hash.slice(1);
