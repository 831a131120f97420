import type { Transaction } from "sequelize";
import { BatchLoader } from "../../concurrency/batch-loader.ts";
import type { Database } from "../../db/connect.ts";
import { failureLog } from "../../db/failure-log.ts";
import { activeSessions, recordSessionUse } from "../../db/queries/accounts/active-sessions.ts";
import {
  endSessions,
  endSurplusSessions,
  lockSession,
  replaceRefreshToken,
  sessionsOf,
} from "../../db/queries/accounts/sessions.ts";
import type { Claims, SessionsEnded } from "../../domain/session.ts";
import { AppError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { Session, User } from "../../models/index.ts";
import { type ActiveUser, isActive } from "../../models/user.ts";
import { hashOf } from "./random-tokens.ts";
import type { RefreshToken, RefreshTokens } from "./refresh-tokens.ts";
import { SessionUse } from "./session-use.ts";
import { notLoggedIn, type Tokens } from "./tokens.ts";

/** A session as its owner sees it. */
export interface OwnSession {
  id: number;
  userAgent: string | null;
  createdAt: string;
  lastUsedAt: string;
  current: boolean;
}

/** The client that logs in. */
export interface Device {
  userAgent: string | undefined;
  /** Its network address, as rate limits count it. */
  address: string;
}

/** The tokens of a session. */
export interface SessionTokens {
  token: string;
  expiresAt: Date;
  refreshToken: string;
}

const maxUserAgentLength = 256;
/** How long the previous refresh token still works, for clients that lost the response and for concurrent tabs. */
const previousTokenGraceMs = 30_000;
/** Precision of `lastUsedAt`: it is written at most this often, not at every use. */
const lastUsedPrecisionSeconds = 60;
const maxListed = 100;

/** Sessions and their tokens. A token is valid only while its session is active, which is checked at every use. */
export class Sessions {
  private readonly activeSessions = new BatchLoader((sessionIds) =>
    activeSessions(this.options.database, sessionIds, lastUsedPrecisionSeconds),
  );
  private readonly use: SessionUse;

  constructor(
    private readonly options: {
      database: Database;
      tokens: Tokens;
      refreshTokens: RefreshTokens;
      /** Lifetime of a session that is not refreshed, in milliseconds. */
      refreshLifetimeMs: number;
      /** Active sessions of one user; one more ends the least recently used one. */
      maxPerUser: number;
      /** Whether users have to confirm their e-mail address. */
      requiresVerification: boolean;
      /** Called after sessions have ended. */
      onEnded: (ended: SessionsEnded) => void;
      log: Logger;
    },
  ) {
    const { database, log } = options;
    this.use = new SessionUse(
      (sessionIds) => recordSessionUse(database, sessionIds),
      failureLog(log, "recording when sessions were last used"),
    );
  }

  /**
   * Starts a session for a user who has just authenticated.
   * @returns its tokens, and the sessions that it ended, to be published after the commit
   */
  async start(
    userId: number,
    device: Device,
    transaction: Transaction,
  ): Promise<SessionTokens & { endedSessionIds: number[] }> {
    const userAgent = device.userAgent?.slice(0, maxUserAgentLength) ?? null;
    const { address } = device;
    const session = await Session.create({ userId, userAgent, address, refreshHash: Buffer.alloc(0) }, { transaction });
    const refreshToken = this.options.refreshTokens.first(session.id);
    await session.update({ refreshHash: hashOf(refreshToken) }, { transaction });
    const { database, maxPerUser, tokens } = this.options;
    const limits = { userId, sessionId: session.id, maxOthers: maxPerUser - 1 };
    const endedSessionIds = await endSurplusSessions(database, limits, transaction);
    return { ...tokens.issue({ userId, sessionId: session.id }), refreshToken, endedSessionIds };
  }

  /** Verifies a token without looking up its session. */
  claimsOf(token: string | undefined): Claims {
    if (token === undefined) throw notLoggedIn();
    return this.options.tokens.verify(token);
  }

  /**
   * Verifies a token and its session.
   * @throws AppError of kind "unauthenticated" if the token is invalid or its session has ended
   */
  async authenticate(token: string | undefined): Promise<Claims> {
    const claims = this.claimsOf(token);
    const session = await this.activeSessions.load(claims.sessionId);
    if (session?.userId !== claims.userId) throw notLoggedIn(claims.userId);
    if (session.isStale) this.use.note(claims.sessionId);
    const isUnverified = this.options.requiresVerification && session.isUnverified;
    return isUnverified ? { ...claims, isUnverified } : claims;
  }

  /** Whether a session of this user is active. */
  async isActive({ userId, sessionId }: { userId: number; sessionId: number }): Promise<boolean> {
    return (await this.activeSessions.load(sessionId))?.userId === userId;
  }

  /**
   * Exchanges a refresh token, once, for new tokens. For a short time the previous token still returns the same
   * successor; an older one has been copied, so its use ends the session.
   * @param address the network address of the client
   * @throws AppError of kind "unauthenticated"
   */
  async refresh(refreshToken: string, address: string): Promise<{ user: ActiveUser } & SessionTokens> {
    const presented = this.options.refreshTokens.parse(refreshToken);
    if (!presented) throw notLoggedIn();
    const refreshed = await this.options.database.transaction((transaction) =>
      this.exchange(presented, address, transaction),
    );
    if (refreshed === "reused") {
      this.publishEnded({ sessionIds: [presented.sessionId], reason: "ended" });
      throw notLoggedIn();
    }
    return refreshed;
  }

  /** The active sessions of a user, the most recently used first. */
  async list({ userId, sessionId }: Claims): Promise<OwnSession[]> {
    const { database, refreshLifetimeMs: lifetimeMs } = this.options;
    // Before the query: what is written meanwhile may not be in its answer.
    const unwritten = this.use.unwritten();
    const sessions = await sessionsOf(database, { userId, lifetimeMs, limit: maxListed });
    return sessions
      .map((session) => ({ ...session, lastUsedAt: unwritten.get(session.id) ?? session.lastUsedAt }))
      .sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime())
      .map(({ id, userAgent, createdAt, lastUsedAt }) => ({
        id,
        userAgent,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        current: id === sessionId,
      }));
  }

  /** Ends the current session; succeeds if it has already ended. */
  async logOut({ userId, sessionId }: Claims): Promise<void> {
    await endSessions(this.options.database, { userId, only: sessionId });
    this.publishEnded({ sessionIds: [sessionId], reason: "ended" });
  }

  /** Ends one session of a user. */
  async end(userId: number, sessionId: number): Promise<void> {
    const ended = await endSessions(this.options.database, { userId, only: sessionId });
    if (ended.length === 0) throw new AppError("notFound", "There is no such session");
    this.publishEnded({ sessionIds: [sessionId], reason: "ended" });
  }

  /** Ends all sessions of a user except the current one. */
  async endOthers({ userId, sessionId }: Claims): Promise<void> {
    const sessionIds = await endSessions(this.options.database, { userId, except: sessionId });
    this.publishEnded({ sessionIds, reason: "ended" });
  }

  /** Reports ended sessions. Called after the commit. */
  publishEnded(ended: SessionsEnded): void {
    if (ended.sessionIds.length > 0) this.options.onEnded(ended);
  }

  /** Locks the row of the session, so that of two concurrent exchanges the second sees the result of the first. */
  private async exchange(
    presented: RefreshToken,
    address: string,
    transaction: Transaction,
  ): Promise<({ user: ActiveUser } & SessionTokens) | "reused"> {
    const { database, refreshTokens, refreshLifetimeMs, tokens } = this.options;
    const { sessionId } = presented;
    const session = await lockSession(database, sessionId, transaction);
    const user = session && (await User.findByPk(session.userId, { transaction }));
    if (!session || !isActive(user) || session.ageMs > refreshLifetimeMs) throw notLoggedIn();

    const hash = hashOf(presented.text);
    let refreshToken: string | undefined;
    if (hash.equals(session.refreshHash)) {
      refreshToken = refreshTokens.successor(presented);
      const change = { sessionId, refreshHash: hashOf(refreshToken), previousHash: hash, address };
      await replaceRefreshToken(database, change, transaction);
    } else if (!session.previousHash?.equals(hash) || session.ageMs > previousTokenGraceMs) {
      await endSessions(database, { userId: user.id, only: sessionId }, transaction);
      return "reused";
    } else {
      refreshToken = refreshTokens.earlierSuccessor(presented, session.refreshHash);
      // Only a process that has neither secret of the one that replaced the token: it must not end the session.
      if (refreshToken === undefined) throw notLoggedIn(user.id);
    }
    return { user, ...tokens.issue({ userId: user.id, sessionId }), refreshToken };
  }
}
