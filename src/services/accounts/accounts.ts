import { Op, type Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { violatedConstraint } from "../../db/database-errors.ts";
import type { Profile } from "../../domain/person.ts";
import { AppError } from "../../errors.ts";
import { Block, User } from "../../models/index.ts";
import { emailKey, isActive, type ActiveUser, nameKey } from "../../models/user.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import { removeMember } from "../../writes/locked-chat.ts";
import { leaveGroups } from "../groups/groups.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { Passwords } from "./passwords.ts";
import { revokeSessions, type Sessions, type SessionTokens } from "./sessions.ts";
import { notLoggedIn } from "./tokens.ts";

/** A log-in on one device, and whose. */
export interface LoggedIn {
  user: Profile;
  token: string;
  expiresAt: string;
  refreshToken: string;
}

interface Device {
  userAgent: string | undefined;
}

const toProfile = (user: ActiveUser): Profile => ({
  id: user.id,
  email: user.email,
  firstName: user.firstName,
  lastName: user.lastName,
  createdAt: user.createdAt.toISOString(),
});

/** Accounts: making, changing, proving and deleting them. */
export class Accounts {
  constructor(
    private readonly options: {
      database: Database;
      passwords: Passwords;
      limits: RateLimits;
      sessions: Sessions;
      chatWriter: ChatWriter;
    },
  ) {}

  /** See `Passwords.requireRoom`. */
  assertCapacity(ahead: number): void {
    this.options.passwords.assertCapacity(ahead);
  }

  /** @throws AppError of kind "emailTaken"; the database's index decides, so two at once cannot both succeed */
  async register(
    wish: { email: string; password: string; firstName: string; lastName?: string },
    device: Device,
  ): Promise<LoggedIn> {
    const { email, password, firstName, lastName } = wish;
    const passwordHash = await this.options.passwords.hash(password);
    const account = {
      email,
      emailKey: emailKey(email),
      passwordHash,
      ...names({ firstName, lastName: lastName ?? null }),
    };
    return refusingTakenEmail(() =>
      this.options.database.transaction(async (transaction) => {
        const { id } = await User.create(account, { transaction });
        const loggedIn = await this.logIn(id, passwordHash, device, transaction);
        if (!loggedIn) throw badCredentials();
        return loggedIn;
      }),
    );
  }

  /**
   * @throws AppError of kind "badCredentials", the same and as late for an unknown e-mail as for a wrong password; of
   *   kind "rateLimited" after too many attempts, and then for the right password too, or guessing could go on
   */
  async login({ email, password }: { email: string; password: string }, device: Device): Promise<LoggedIn> {
    const key = emailKey(email);
    const { limits, passwords } = this.options;
    const user = await passwords.whose(password, {
      count: () => limits.consume("logInsPerAccount", key),
      find: () => User.findOne({ where: { emailKey: key } }),
      renew: renewHash,
    });
    if (!isActive(user)) throw badCredentials();
    await limits.reset("logInsPerAccount", key);
    const loggedIn = await this.options.database.transaction((transaction) =>
      this.logIn(user.id, user.passwordHash, device, transaction),
    );
    // Changed meanwhile, or only made anew by another log-in.
    return loggedIn ?? this.login({ email, password }, device);
  }

  /** Exchanges a refresh token; see `Sessions.refresh`. */
  async refresh(refreshToken: string): Promise<LoggedIn> {
    const { user, ...tokens } = await this.options.sessions.refresh(refreshToken);
    return loggedIn(user, tokens);
  }

  async profile(userId: number): Promise<Profile> {
    return toProfile(await this.living(userId));
  }

  /** Changes the given fields. A new e-mail address needs the current password. */
  async update(
    userId: number,
    change: { firstName?: string; lastName?: string | null; email?: string; password?: string },
  ): Promise<Profile> {
    const { email, password, firstName, lastName } = change;
    const user = await this.living(userId);
    const changesEmail = email !== undefined && email !== user.email;
    if (changesEmail) await this.requirePassword(user, password);
    const [changed] = await refusingTakenEmail(() =>
      User.update(
        { ...names({ firstName, lastName }), ...(changesEmail && { email, emailKey: emailKey(email) }) },
        { where: { id: userId, deletedAt: null, ...(changesEmail && { passwordHash: user.passwordHash }) } },
      ),
    );
    if (changed === 0 && changesEmail) throw wrongPassword();
    return this.profile(userId);
  }

  /** Changes the password and ends every session but the given one. */
  async changePassword(
    identity: { userId: number; sessionId: number },
    { oldPassword, newPassword }: { oldPassword: string; newPassword: string },
  ): Promise<void> {
    const { userId, sessionId } = identity;
    const { passwords, sessions, database } = this.options;
    const user = await this.living(userId);
    await this.requirePassword(user, oldPassword);
    const passwordHash = await passwords.hash(newPassword);
    const sessionIds = await database.transaction(async (transaction) => {
      const [changed] = await User.update(
        { passwordHash },
        { where: { id: userId, passwordHash: user.passwordHash }, transaction },
      );
      if (changed === 0) throw wrongPassword();
      return revokeSessions(userId, { except: sessionId, transaction });
    });
    sessions.announceEnd({ sessionIds, reason: "ended" });
  }

  /**
   * Deletes the account: name, e-mail and password are erased, sessions end, memberships end with a notice in each
   * group, whose owner hands over. What the person wrote stays in other people's histories, under "Deleted user".
   */
  async delete(userId: number, { password }: { password: string }): Promise<void> {
    const user = await this.living(userId);
    await this.requirePassword(user, password);
    const { sessions, chatWriter } = this.options;
    const sessionIds = await chatWriter.commit(undefined, async (tx) => {
      const { transaction } = tx;
      const held = await User.findByPk(userId, { lock: transaction.LOCK.UPDATE, transaction });
      if (!isActive(held)) throw notLoggedIn();
      if (held.passwordHash !== user.passwordHash) throw wrongPassword();
      const chats = await tx.lockChatsOf(userId);
      await held.update(
        { email: null, emailKey: null, passwordHash: null, ...noNames, deletedAt: new Date() },
        { transaction },
      );
      await Block.destroy({ where: { [Op.or]: [{ userId }, { blockedId: userId }] }, transaction });
      await leaveGroups(
        chats.filter(({ kind }) => kind === "group"),
        userId,
      );
      await removeMember(
        chats.filter(({ kind }) => kind === "dialog"),
        userId,
      );
      return revokeSessions(userId, { transaction });
    });
    sessions.announceEnd({ sessionIds, reason: "accountDeleted" });
  }

  /**
   * Starts a session for someone whose password was found right, unless it is another one now. The lock makes a change
   * of password or a deletion that happens meanwhile either wait for this session, and end it, or be seen here.
   */
  private async logIn(
    userId: number,
    passwordHash: string,
    device: Device,
    transaction: Transaction,
  ): Promise<LoggedIn | undefined> {
    const user = await User.findOne({ where: { id: userId, passwordHash }, lock: transaction.LOCK.SHARE, transaction });
    if (!isActive(user)) return undefined;
    return loggedIn(user, await this.options.sessions.start(userId, device, transaction));
  }

  private async living(userId: number): Promise<ActiveUser> {
    const user = await User.findByPk(userId);
    if (!isActive(user)) throw notLoggedIn();
    return user;
  }

  /**
   * Whoever holds a token may be anybody. Each check counts, the right password does not start anew: the own password is
   * easily right, and would keep the others waiting who log in.
   */
  private async requirePassword(user: ActiveUser, password: string | undefined): Promise<void> {
    if (password === undefined) throw wrongPassword();
    const { limits, passwords } = this.options;
    await limits.consume("passwordChecksPerUser", user.id);
    const key = emailKey(user.email);
    const count = () => limits.consume("logInsPerAccount", key);
    if (!(await passwords.matches(password, user.passwordHash, count))) throw wrongPassword();
    await limits.reset("logInsPerAccount", key);
  }
}

const loggedIn = (user: ActiveUser, { expiresAt, ...tokens }: SessionTokens): LoggedIn => ({
  user: toProfile(user),
  ...tokens,
  expiresAt: expiresAt.toISOString(),
});

/** Unless the password has been changed since it was read. */
async function renewHash(user: User, passwordHash: string): Promise<User> {
  const { id, passwordHash: old } = user;
  const [renewed] = await User.update({ passwordHash }, { where: { id, passwordHash: old } });
  return renewed > 0 ? user.set({ passwordHash }) : user;
}

/** The names that are given, with the keys by which they are found. */
const names = ({ firstName, lastName }: { firstName?: string | undefined; lastName?: string | null | undefined }) => ({
  ...(firstName !== undefined && { firstName, firstNameKey: nameKey(firstName) }),
  ...(lastName !== undefined && { lastName, lastNameKey: nameKey(lastName ?? "") }),
});
const noNames = { firstName: null, lastName: null, firstNameKey: null, lastNameKey: null };

const badCredentials = () => new AppError("badCredentials", "E-mail or password is wrong");
const wrongPassword = () => new AppError("reauthRequired", "The current password is required, and this is not it");

async function refusingTakenEmail<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedConstraint(error) !== "users_email_key_unique") throw error;
    throw new AppError("emailTaken", "There is an account with this e-mail address already");
  }
}
