import { fn, type Transaction } from "sequelize";
import { Semaphore } from "../../concurrency/semaphore.ts";
import type { Database } from "../../db/connect.ts";
import { endInvitesOf } from "../../db/queries/accounts/invites.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import { dropMailsOf } from "../../db/queries/mail/outbox.ts";
import { AppError } from "../../errors.ts";
import { Block, User } from "../../models/index.ts";
import { emailKeys } from "../../models/keys.ts";
import { type ActiveUser, erasedColumns } from "../../models/user.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import { removeMember } from "../../writes/locked-chat.ts";
import { requireAnotherAdmin } from "../administration/last-admin.ts";
import { leaveGroups } from "../groups/groups.ts";

/** Which account to delete, and under what conditions. */
export interface Deletion {
  userId: number;
  /** Whether the account may be that of an administrator, which takes the locks of all of them. */
  mayBeAdmin: boolean;
  /** Returns the account, once it is locked, or throws if it may not be deleted. */
  check: (user: User | null) => ActiveUser;
  /** Called before the account is changed, in the same transaction. */
  record?: (transaction: Transaction) => Promise<void>;
}

/**
 * Deletes accounts: erases name, e-mail address and password, ends the sessions, and leaves all groups, where ownership is
 * transferred. The user's messages stay in the histories of others, sent by "Deleted user".
 */
export class AccountDeletion {
  /** One at a time: each may lock thousands of chats. */
  private readonly deletions = new Semaphore(1);

  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /**
   * @returns the sessions that it has ended
   * @throws AppError of kind "lastAdmin" for the last administrator
   */
  run(deletion: Deletion): Promise<number[]> {
    return this.deletions.run(() => this.store(deletion));
  }

  private store({ userId, mayBeAdmin, check, record }: Deletion): Promise<number[]> {
    const { chatWriter, database } = this.options;
    return chatWriter.commit(undefined, async (tx) => {
      const { transaction } = tx;
      if (mayBeAdmin) await requireAnotherAdmin(database, userId, transaction);
      const user = check(await User.findByPk(userId, { lock: transaction.LOCK.UPDATE, transaction }));
      if (user.role === "admin" && !mayBeAdmin) {
        throw new AppError("conflict", "The account has just been changed. Try again");
      }
      await record?.(transaction);
      await endInvitesOf(database, { userId, emailKeys: emailKeys(user.email) }, transaction);
      const chats = await tx.lockChatsOf(userId);
      await user.update({ ...erasedColumns, deletedAt: fn("clock_timestamp") }, { transaction });
      // The blocks of others stay: setting one again must give the same answer as for a user who blocks.
      await endOneTimeTokens(database, userId, transaction);
      await dropMailsOf(database, { userId }, transaction);
      await Block.destroy({ where: { userId }, transaction });
      await leaveGroups(
        chats.filter(({ kind }) => kind === "group"),
        userId,
      );
      await removeMember(
        chats.filter(({ kind }) => kind === "dialog"),
        userId,
      );
      return endSessions(database, { userId }, transaction);
    });
  }
}
