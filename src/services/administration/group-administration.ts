import type { Database } from "../../db/connect.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import { groupNames, managedGroups } from "../../db/queries/administration/managed-groups.ts";
import type { AuditOrigin, ManagedGroup } from "../../domain/administration.ts";
import { AppError } from "../../errors.ts";
import { nameKey } from "../../models/keys.ts";
import type { ChatTransaction, ChatWriter } from "../../writes/chat-transaction.ts";
import type { LockedChat } from "../../writes/locked-chat.ts";
import { isId, type Page, readCursor, toPage } from "../page.ts";
import { requireActingAdmin } from "./acting-admin.ts";

/** Names that are read in one statement while a search compares them. */
const namesPerStatement = 5000;

/** Groups, managed by administrators: what they contain cannot be read. The members see who has changed their group. */
export class GroupAdministration {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /** Lists groups, the oldest first. */
  async list(input: {
    search?: string | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<Page<ManagedGroup>> {
    const { search, limit, cursor } = input;
    const after = cursor === undefined ? 0 : readCursor(cursor, isId);
    const ids = await this.idsOf(search === undefined ? undefined : nameKey(search), { after, limit: limit + 1 });
    return toPage(await managedGroups(this.options.database, ids), limit, ({ id }) => id);
  }

  /**
   * Makes a member the owner; the previous owner becomes an admin of the group.
   * @throws AppError of kind "notFound" if there is no such group, or the user is not a member of it
   */
  setOwner(by: AuditOrigin, { groupId, userId }: { groupId: number; userId: number }): Promise<void> {
    return this.change(by, groupId, async (group, tx) => {
      const role = group.members.get(userId);
      if (!role) throw new AppError("notFound", "There is no such user in this group");
      if (role === "owner") return;
      const [previousId] = [...group.members].find(([, memberRole]) => memberRole === "owner") ?? [];
      if (previousId !== undefined) await group.setRole(previousId, "admin");
      await group.setRole(userId, "owner");
      // Clients make `byUserId` an admin of the group: the previous owner, not the administrator.
      const event = { kind: "ownershipTransferred", byUserId: previousId ?? userId, userId } as const;
      await group.append({ senderId: by.actorId ?? userId, event });
      const target = { type: "group", id: groupId } as const;
      const details = { ownerId: userId, previousOwnerId: previousId ?? null };
      await recordAction(this.options.database, by, { action: "group.owner", target, details }, tx.transaction);
    });
  }

  /** Deletes a group with its history. All members are notified. @throws AppError of kind "notFound" */
  delete(by: AuditOrigin, groupId: number): Promise<void> {
    return this.change(by, groupId, async (group, tx) => {
      const memberIds = [...group.members.keys()];
      const senderId = by.actorId ?? memberIds[0];
      // Nobody is notified of the end of a group without members.
      if (senderId !== undefined && memberIds.length > 0) {
        await group.append({ senderId, event: { kind: "groupDeleted", byUserId: senderId, memberIds } });
      }
      await group.end();
      const target = { type: "group", id: groupId } as const;
      const details = { members: memberIds.length };
      await recordAction(this.options.database, by, { action: "group.delete", target, details }, tx.transaction);
    });
  }

  private change(
    by: AuditOrigin,
    groupId: number,
    work: (group: LockedChat, tx: ChatTransaction) => Promise<void>,
  ): Promise<void> {
    const { database, chatWriter } = this.options;
    return chatWriter.commit(undefined, async (tx) => {
      await requireActingAdmin(database, by, tx.transaction);
      const group = await tx.lock(groupId);
      if (group?.kind !== "group") throw new AppError("notFound", "There is no such group");
      await work(group, tx);
    });
  }

  /**
   * Returns the ids of the groups whose name contains a text in its search form; of all without one. Names are compared
   * here, because databases differ in how they fold the case of letters.
   */
  private async idsOf(key: string | undefined, page: { after: number; limit: number }): Promise<number[]> {
    const limit = key === undefined ? page.limit : namesPerStatement;
    const found: number[] = [];
    for (let after: number | undefined = page.after; after !== undefined && found.length < page.limit; ) {
      const groups = await groupNames(this.options.database, { after, limit });
      const matching = key === undefined ? groups : groups.filter(({ name }) => nameKey(name).includes(key));
      found.push(...matching.map(({ id }) => id));
      after = groups.length < limit ? undefined : groups.at(-1)?.id;
    }
    return found.slice(0, page.limit);
  }
}
