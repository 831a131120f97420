import type { Transaction } from "sequelize";
import type { FairQueue } from "../../concurrency/fair-queue.ts";
import type { Database } from "../../db/connect.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import type { Profile } from "../../domain/person.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { emailKey, emailKeys } from "../../models/keys.ts";
import { type ActiveUser, isActive, nameColumns } from "../../models/user.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import { requireAdmin } from "../administration/acting-admin.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { AccountDeletion } from "./account-deletion.ts";
import type { EmailVerification } from "./email-verification.ts";
import { findByEmail } from "./find-by-email.ts";
import type { Invites } from "./invites.ts";
import type { LogInLimits } from "./log-in-limits.ts";
import { type AccountInput, emailTaken, newAccount, rejectTakenEmail, storeAccount } from "./new-account.ts";
import type { Passwords } from "./passwords.ts";
import type { RegistrationRules } from "./registration-rules.ts";
import type { Device, Sessions, SessionTokens } from "./sessions.ts";
import { notLoggedIn } from "./tokens.ts";

/** A new or renewed session: the account and its tokens. */
export interface SessionGrant {
  user: Profile;
  token: string;
  expiresAt: string;
  refreshToken: string;
}

/** A session in a transaction. */
interface StartedSession {
  user: ActiveUser;
  session: Awaited<ReturnType<Sessions["start"]>>;
}

/** Accounts: registration, log-in, changes and deletion. */
export class Accounts {
  constructor(
    private readonly options: {
      database: Database;
      passwords: Passwords;
      limits: RateLimits;
      logInLimits: LogInLimits;
      sessions: Sessions;
      rules: RegistrationRules;
      invites: Invites;
      verification: EmailVerification;
      chatWriter: ChatWriter;
      deletion: AccountDeletion;
      /** Runs what changes the database, after the password was checked. */
      changes: FairQueue;
      /** Called after a name was changed. */
      onNameChange: (userId: number) => void;
    },
  ) {}

  /** See `Passwords.assertCapacity`. */
  assertCapacity(address: string, queuedAhead: ReadonlyMap<string, number>): void {
    this.options.passwords.assertCapacity(address, queuedAhead);
  }

  /**
   * Creates an account. With an invite it also joins the groups of the invite.
   * @throws AppError of kind "registrationClosed"; of kind "inviteInvalid", before anything is said about the address; of
   *   kind "emailTaken", which a unique index guarantees under concurrency
   */
  async register(
    { invite: token, ...input }: AccountInput & { invite?: string },
    device: Device,
  ): Promise<SessionGrant> {
    const { rules, invites, passwords, chatWriter, verification } = this.options;
    const { email } = input;
    if (token === undefined) rules.requireOpen();
    else await invites.check({ token, email });
    rules.requireAllowedDomain(email);
    const owner = { address: device.address, account: emailKey(email) };
    const account = await newAccount(passwords, input, owner);
    const started = await rejectTakenEmail(() =>
      chatWriter.commit(undefined, async (tx) => {
        const invite = token === undefined ? undefined : await invites.use(tx, { token, email });
        const isConfirmed = invite?.confirmsEmail === true;
        const columns = isConfirmed ? account : { ...account, ...verification.columnsOfRegistration };
        const id = await storeAccount(columns, tx.transaction);
        if (!isConfirmed) await verification.registered(id, email, tx.transaction);
        await invite?.joinGroups(id);
        return this.beginSession(device, { id, passwordHash: account.passwordHash }, tx.transaction);
      }),
    );
    if (!started) throw badCredentials();
    return this.grant(started);
  }

  /**
   * @throws AppError of kind "badCredentials", with the same text and timing for an unknown e-mail address and a wrong
   *   password; of kind "rateLimited" after too many attempts, even with the correct password (see `LogInLimits`); of kind
   *   "suspended" for the correct password of a suspended account
   */
  async login({ email, password }: { email: string; password: string }, device: Device): Promise<SessionGrant> {
    const key = emailKey(email);
    const { logInLimits, passwords } = this.options;
    const attempt = { account: key, emailKeys: emailKeys(email), address: device.address };
    await logInLimits.check(attempt);
    const account: { id?: number } = {};
    const user = await passwords.verifyAccount(password, {
      owner: attempt,
      attempt: { prepare: () => logInLimits.count(attempt), undo: () => logInLimits.undo(attempt) },
      find: async () => {
        const found = await findByEmail(email);
        if (found) account.id = found.id;
        return found;
      },
      renew: renewHash,
    });
    if (!isActive(user)) {
      await logInLimits.failed(attempt);
      throw badCredentials(account.id);
    }
    await logInLimits.succeeded(attempt);
    const grant = await this.startSession(device, async () => user);
    // The hash has changed meanwhile: a new password, or the same one renewed by another log-in.
    return grant ?? this.login({ email, password }, device);
  }

  /** Exchanges a refresh token; see `Sessions.refresh`. */
  async refresh(refreshToken: string, { address }: Device): Promise<SessionGrant> {
    const { user, ...tokens } = await this.options.sessions.refresh(refreshToken, address);
    return this.toSessionGrant(user, tokens);
  }

  /** @throws AppError of kind "forbidden" for everybody who is not an administrator */
  requireAdmin(userId: number): Promise<void> {
    return requireAdmin(this.options.database, userId);
  }

  async profile(userId: number): Promise<Profile> {
    return this.toProfile(await this.requireActive(userId));
  }

  /**
   * Changes the given fields. A new e-mail address requires the current password and a domain that is allowed, and may have
   * to be confirmed before it takes effect. The present address withdraws one that has not been confirmed.
   */
  async update(
    userId: number,
    change: { firstName?: string; lastName?: string | null; email?: string; password?: string },
    device: Device,
  ): Promise<Profile> {
    const { email, password, firstName, lastName } = change;
    const { database, changes, verification } = this.options;
    const user = await this.requireActive(userId);
    const changesEmail = email !== undefined && email !== user.email;
    if (changesEmail) {
      this.options.rules.requireAllowedDomain(email);
      await this.requirePassword(user, password, device);
      const holder = await findByEmail(email);
      if (holder && holder.id !== userId) throw emailTaken();
      await verification.admitChange(userId);
    }
    const columns = {
      ...nameColumns({ firstName, lastName }),
      ...(email !== undefined && (changesEmail ? verification.columnsOfChange(email) : { pendingEmail: null })),
    };
    const where = { id: userId, deletedAt: null, ...(changesEmail && { passwordHash: user.passwordHash }) };
    const store = () =>
      database.transaction(async (transaction) => {
        const [changed] = await User.update(columns, { where, transaction });
        if (!changesEmail) return;
        if (changed === 0) throw wrongPassword();
        await verification.changed(userId, email, transaction);
      });
    const profile = await changes.run(userId, async () => {
      await rejectTakenEmail(store);
      return this.profile(userId);
    });
    const hasNewName = profile.firstName !== user.firstName || profile.lastName !== user.lastName;
    if (hasNewName) this.options.onNameChange(userId);
    return profile;
  }

  /** Changes the password and ends all sessions except the current one. */
  async changePassword(
    identity: { userId: number; sessionId: number },
    { oldPassword, newPassword }: { oldPassword: string; newPassword: string },
    { address }: Device,
  ): Promise<void> {
    const { userId, sessionId } = identity;
    const { passwords, sessions, database, changes } = this.options;
    const user = await this.requireActive(userId);
    await this.requirePassword(user, oldPassword, { address });
    const owner = { address, account: userId };
    const passwordHash = await passwords.hash(newPassword, { email: user.email, field: "newPassword", owner });
    const sessionIds = await changes.run(userId, () =>
      database.transaction(async (transaction) => {
        const [changed] = await User.update(
          { passwordHash },
          { where: { id: userId, passwordHash: user.passwordHash }, transaction },
        );
        if (changed === 0) throw wrongPassword();
        await endOneTimeTokens(database, userId, transaction);
        return endSessions(database, { userId, except: sessionId }, transaction);
      }),
    );
    sessions.publishEnded({ sessionIds, reason: "ended" });
  }

  /**
   * Deletes the account; see `AccountDeletion`.
   * @throws AppError of kind "lastAdmin" for the last administrator
   */
  async delete(userId: number, { password }: { password: string }, device: Device): Promise<void> {
    const account = await this.requireActive(userId);
    await this.requirePassword(account, password, device);
    const { passwordHash, role } = account;
    const sessionIds = await this.options.deletion.run({
      userId,
      mayBeAdmin: role === "admin",
      check: (user) => {
        if (!isActive(user)) throw notLoggedIn();
        if (user.passwordHash !== passwordHash) throw wrongPassword();
        return user;
      },
    });
    this.options.sessions.publishEnded({ sessionIds, reason: "accountDeleted" });
  }

  /**
   * Starts a session for an account that the same transaction finds or creates.
   * @returns undefined if its password is another one by now
   */
  async startSession(
    device: Device,
    findAccount: (transaction: Transaction) => Promise<{ id: number; passwordHash: string }>,
  ): Promise<SessionGrant | undefined> {
    const started = await this.options.database.transaction(async (transaction) =>
      this.beginSession(device, await findAccount(transaction), transaction),
    );
    return started && this.grant(started);
  }

  /**
   * Starts a session after the password was verified, unless the password has changed since. Because of the lock, a
   * concurrent change of the password or deletion either waits and ends this session, or is seen here.
   */
  private async beginSession(
    device: Device,
    { id, passwordHash }: { id: number; passwordHash: string },
    transaction: Transaction,
  ): Promise<StartedSession | undefined> {
    const user = await User.findOne({ where: { id, passwordHash }, lock: transaction.LOCK.SHARE, transaction });
    if (!isActive(user)) return undefined;
    if (user.suspendedAt) throw suspended(id);
    return { user, session: await this.options.sessions.start(id, device, transaction) };
  }

  /** The answer to the client, once the session is committed. */
  private grant({ user, session: { endedSessionIds, ...tokens } }: StartedSession): SessionGrant {
    this.options.sessions.publishEnded({ sessionIds: endedSessionIds, reason: "ended" });
    return this.toSessionGrant(user, tokens);
  }

  private toProfile(user: ActiveUser): Profile {
    return {
      id: user.id,
      email: user.email,
      pendingEmail: this.options.verification.unconfirmedEmail(user),
      role: user.role,
      firstName: user.firstName,
      lastName: user.lastName,
      ...(user.avatarId && { avatarId: user.avatarId }),
      createdAt: user.createdAt.toISOString(),
    };
  }

  private toSessionGrant(user: ActiveUser, { expiresAt, ...tokens }: SessionTokens): SessionGrant {
    return { user: this.toProfile(user), ...tokens, expiresAt: expiresAt.toISOString() };
  }

  private async requireActive(userId: number): Promise<ActiveUser> {
    const user = await User.findByPk(userId);
    if (!isActive(user)) throw notLoggedIn();
    return user;
  }

  /**
   * Verifies the password of a user who is logged in, because the token may be stolen. It has a limit of its own, which
   * log-ins of strangers do not use up. Correct passwords count as well: otherwise repeating the own password could fill
   * the queue of the log-ins.
   */
  private async requirePassword(
    { id, passwordHash: hash }: ActiveUser,
    password: string | undefined,
    { address }: Pick<Device, "address">,
  ): Promise<void> {
    if (password === undefined) throw wrongPassword();
    const { limits, passwords } = this.options;
    const attempt = {
      prepare: () => limits.consume("passwordChecksPerUser", id),
      undo: () => limits.refund("passwordChecksPerUser", id),
    };
    if (!(await passwords.matches(password, { hash, owner: { address, account: id }, attempt }))) throw wrongPassword();
  }
}

/** Stores the new hash, unless the password has changed since it was read. */
async function renewHash(user: User, passwordHash: string): Promise<User> {
  const { id, passwordHash: old } = user;
  const [renewed] = await User.update({ passwordHash }, { where: { id, passwordHash: old } });
  return renewed > 0 ? user.set({ passwordHash }) : user;
}

/** @param userId the account whose password was wrong, for the log; undefined if there is none */
const badCredentials = (userId?: number) =>
  new AppError("badCredentials", "E-mail or password is wrong", { logFields: { userId } });
const suspended = (userId: number) =>
  new AppError("suspended", "This account is suspended. Ask an administrator", { logFields: { userId } });
const wrongPassword = () => new AppError("reauthRequired", "The current password is missing or wrong");
