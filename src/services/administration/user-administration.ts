import { randomBytes } from "node:crypto";
import type { Transaction } from "sequelize";
import type { TaskOwner } from "../../concurrency/round-robin-queue.ts";
import type { Database } from "../../db/connect.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import { managedUser, managedUsers } from "../../db/queries/administration/managed-users.ts";
import { requestErasure } from "../../db/queries/administration/message-erasures.ts";
import type { AccountStatus, AuditOrigin, ManagedUser, UserRole } from "../../domain/administration.ts";
import type { SessionsEnded } from "../../domain/session.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { User } from "../../models/index.ts";
import { emailKey, nameKey } from "../../models/keys.ts";
import { type ActiveUser, isActive } from "../../models/user.ts";
import type { AccountDeletion } from "../accounts/account-deletion.ts";
import { newAccount, rejectTakenEmail, storeAccount } from "../accounts/new-account.ts";
import { issueOneTimeToken, type OneTimeToken } from "../accounts/one-time-tokens.ts";
import { operator, type Passwords } from "../accounts/passwords.ts";
import { isId, type Page, readCursor, toPage } from "../page.ts";
import type { MakePageLink } from "../page-links.ts";
import { requireActingAdmin } from "./acting-admin.ts";
import { applyChange, type UserChange } from "./user-change.ts";

/** An account that an administrator creates. */
export interface NewUser {
  email: string;
  firstName: string;
  lastName?: string;
  role?: UserRole;
}

/** A link with which somebody chooses a password, once. */
export interface PasswordLink {
  url: string;
  expiresAt: Date;
}

/**
 * Accounts, managed by administrators. Each action is recorded in the transaction that carries it out. What an action takes
 * from an account ends its sessions in the same transaction; their sockets are closed after the commit.
 */
export class UserAdministration {
  constructor(
    private readonly options: {
      database: Database;
      passwords: Passwords;
      deletion: AccountDeletion;
      makeLink: MakePageLink;
      /** Closes the sockets of ended sessions; other processes find these within two seconds. */
      publishEnded: (ended: SessionsEnded) => void;
      onNameChange: (userId: number) => void;
    },
  ) {}

  /** Lists accounts, the oldest first. */
  async list(input: {
    search?: string | undefined;
    role?: UserRole | undefined;
    status?: AccountStatus | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<Page<ManagedUser>> {
    const { search, role, status, limit, cursor } = input;
    const after = cursor === undefined ? 0 : readCursor(cursor, isId);
    const text = search === undefined ? undefined : { emailKey: emailKey(search.trim()), nameKey: nameKey(search) };
    // A text of accents only would match everybody.
    if (text?.nameKey === "") return { data: [], nextCursor: null };
    const filter = { search: text, role, status };
    const users = await managedUsers(this.options.database, filter, { after, limit: limit + 1 });
    return toPage(users, limit, ({ id }) => id);
  }

  async find(userId: number): Promise<ManagedUser> {
    const user = await managedUser(this.options.database, userId);
    if (!user) throw noSuchUser();
    return user;
  }

  /**
   * Creates an account whose owner chooses the password with a link.
   * @param owner for whom the password queue works
   * @throws AppError of kind "emailTaken"
   */
  async create(by: AuditOrigin, input: NewUser, owner: TaskOwner): Promise<PasswordLink & { user: ManagedUser }> {
    const { database } = this.options;
    const { userId, issued } = await this.store(by, input, randomPassword(), owner, async (id, transaction) => ({
      userId: id,
      issued: await issueOneTimeToken(database, { kind: "password", userId: id }, transaction),
    }));
    return { user: await this.find(userId), ...this.passwordLink(issued) };
  }

  /**
   * Creates an account with a random password.
   * @returns its id and the password; only its hash is stored
   */
  async createWithPassword(by: AuditOrigin, input: NewUser): Promise<{ id: number; password: string }> {
    const password = randomPassword();
    const id = await this.store(by, input, password, operator, async (userId) => userId);
    return { id, password };
  }

  /**
   * Changes the given properties of an account.
   * @throws AppError of kind "notFound", "emailTaken" or "lastAdmin"
   */
  async update(by: AuditOrigin, userId: number, change: UserChange): Promise<ManagedUser> {
    const { database, publishEnded, onNameChange } = this.options;
    const { endedSessionIds, hasNewName } = await rejectTakenEmail(() =>
      database.transaction((transaction) => applyChange(database, { by, userId, change }, transaction)),
    );
    publishEnded({ sessionIds: endedSessionIds, reason: "ended" });
    if (hasNewName) onNameChange(userId);
    return this.find(userId);
  }

  /** Makes a link with which the user chooses a new password, and ends all sessions. */
  async resetPassword(by: AuditOrigin, userId: number): Promise<PasswordLink> {
    const { database } = this.options;
    const issued = await this.endAccess(by, userId, "user.reset-password", (user, transaction) =>
      issueOneTimeToken(database, { kind: "password", userId: user.id }, transaction),
    );
    return this.passwordLink(issued.result);
  }

  /**
   * Sets a random password and ends all sessions.
   * @returns the password; only its hash is stored
   */
  async setRandomPassword(by: AuditOrigin, userId: number): Promise<string> {
    const { database, passwords } = this.options;
    const password = randomPassword();
    const passwordHash = await passwords.hash(password);
    await this.endAccess(by, userId, "user.reset-password", async (user, transaction) => {
      await user.update({ passwordHash }, { transaction });
      await endOneTimeTokens(database, user.id, transaction);
    });
    return password;
  }

  /** Ends all sessions of an account. @returns how many there were */
  async revokeSessions(by: AuditOrigin, userId: number): Promise<number> {
    return (await this.endAccess(by, userId, "user.revoke-sessions", async () => {})).sessions;
  }

  /**
   * Deletes an account.
   * @param options.erase also deletes all messages of the user, in the background; also of an account deleted before
   * @throws AppError of kind "notFound" or "lastAdmin"
   */
  async delete(by: AuditOrigin, userId: number, { erase }: { erase: boolean }): Promise<void> {
    const { database, deletion, publishEnded } = this.options;
    const target = { type: "user", id: userId } as const;
    const requestErase = async (transaction: Transaction) => {
      await requestErasure(database, userId, transaction);
      await recordAction(database, by, { action: "user.erase", target }, transaction);
    };
    const user = await User.findByPk(userId);
    if (user && !isActive(user) && erase) {
      await database.transaction(async (transaction) => {
        await requireActingAdmin(database, by, transaction);
        await requestErase(transaction);
      });
      return;
    }
    const sessionIds = await deletion.run({
      userId,
      mayBeAdmin: true,
      check: requireActive,
      record: async (transaction) => {
        await requireActingAdmin(database, by, transaction);
        await recordAction(database, by, { action: "user.delete", target }, transaction);
        if (erase) await requestErase(transaction);
      },
    });
    publishEnded({ sessionIds, reason: "accountDeleted" });
  }

  private async store<Result>(
    by: AuditOrigin,
    { role = "user", ...input }: NewUser,
    password: string,
    owner: TaskOwner,
    complete: (userId: number, transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const { database, passwords } = this.options;
    const account = await newAccount(passwords, { ...input, password }, owner);
    return rejectTakenEmail(() =>
      database.transaction(async (transaction) => {
        await requireActingAdmin(database, by, transaction);
        const id = await storeAccount({ ...account, role }, transaction);
        const target = { type: "user", id } as const;
        await recordAction(database, by, { action: "user.create", target, details: { role } }, transaction);
        return complete(id, transaction);
      }),
    );
  }

  /** Ends the sessions of an account together with another change of it. */
  private async endAccess<Result>(
    by: AuditOrigin,
    userId: number,
    action: "user.reset-password" | "user.revoke-sessions",
    work: (user: ActiveUser, transaction: Transaction) => Promise<Result>,
  ): Promise<{ result: Result; sessions: number }> {
    const { database, publishEnded } = this.options;
    const { result, sessionIds } = await database.transaction(async (transaction) => {
      await requireActingAdmin(database, by, transaction);
      const user = requireActive(await User.findByPk(userId, { lock: transaction.LOCK.UPDATE, transaction }));
      const done = await work(user, transaction);
      const ended = await endSessions(database, { userId }, transaction);
      const details = { sessions: ended.length };
      await recordAction(database, by, { action, target: { type: "user", id: userId }, details }, transaction);
      return { result: done, sessionIds: ended };
    });
    publishEnded({ sessionIds, reason: "ended" });
    return { result, sessions: sessionIds.length };
  }

  private passwordLink({ token, expiresAt }: OneTimeToken): PasswordLink {
    return { url: this.options.makeLink("reset", token), expiresAt };
  }
}

const randomPassword = (): string => randomBytes(15).toString("base64url");

function requireActive(user: User | null): ActiveUser {
  if (!isActive(user)) throw noSuchUser();
  return user;
}
