import { Op, type Transaction } from "sequelize";
import type { Claims, SessionsEnded } from "../../domain/session.ts";
import { isIds, isRecord } from "../../bus/bus.ts";
import type { Database } from "../../db/connect.ts";
import { activeSessions } from "../../db/queries/accounts/active-sessions.ts";
import { AppError } from "../../errors.ts";
import { Session, User } from "../../models/index.ts";
import { isActive, type ActiveUser } from "../../models/user.ts";
import { BatchLoader } from "../../concurrency/batch-loader.ts";
import { hashOf, type RefreshToken, type RefreshTokens } from "./refresh-tokens.ts";
import { notLoggedIn, type Tokens } from "./tokens.ts";

/** Ended sessions as another process told of them; undefined for anything else. */
export function readSessionsEnded(body: unknown): SessionsEnded | undefined {
  if (!isRecord(body) || !isIds(body.sessionIds)) return undefined;
  const { sessionIds, reason } = body;
  return reason === "ended" || reason === "accountDeleted" ? { sessionIds, reason } : undefined;
}

/** A session as its owner sees it. */
export interface OwnSession {
  id: number;
  userAgent: string | null;
  createdAt: string;
  lastUsedAt: string;
  current: boolean;
}

/** What a client holds of a session. */
export interface SessionTokens {
  token: string;
  expiresAt: Date;
  refreshToken: string;
}

const longestUserAgent = 256;
/** How long the token before may ask for its successor again: a lost answer, or two tabs at once. */
const secondChanceMs = 30_000;
/** How exact `lastUsedAt` is: written at most this often, so that a use does not cost a write. */
const lastUsedStepMs = 60_000;
const mostListed = 100;

/** Log-ins. A token is worth what its session is: the session is looked up at every use. */
export class Sessions {
  private readonly living = new BatchLoader((sessionIds) =>
    activeSessions(this.options.database, sessionIds, new Date(Date.now() - lastUsedStepMs)),
  );

  constructor(
    private readonly options: {
      database: Database;
      tokens: Tokens;
      refreshTokens: RefreshTokens;
      /** How long a session lasts that is not refreshed. */
      refreshLifetimeMs: number;
      /** Hears of ended sessions after they are over. */
      onEnded: (ended: SessionsEnded) => void;
    },
  ) {}

  /** Starts a session, for someone who has just shown who they are. */
  async start(
    userId: number,
    device: { userAgent: string | undefined },
    transaction: Transaction,
  ): Promise<SessionTokens> {
    const userAgent = device.userAgent?.slice(0, longestUserAgent) ?? null;
    const session = await Session.create({ userId, userAgent, refreshHash: Buffer.alloc(0) }, { transaction });
    const refreshToken = this.options.refreshTokens.first(session.id);
    await session.update({ refreshHash: hashOf(refreshToken) }, { transaction });
    return { ...this.options.tokens.issue({ userId, sessionId: session.id }), refreshToken };
  }

  /** What a token says, without looking its session up. */
  claimsOf(token: string | undefined): Claims {
    if (token === undefined) throw notLoggedIn();
    return this.options.tokens.verify(token);
  }

  /**
   * Who holds this token.
   * @throws AppError of kind "unauthenticated" when the token does not hold, or its session is over
   */
  async authenticate(token: string | undefined): Promise<Claims> {
    const claims = this.claimsOf(token);
    const session = await this.living.load(claims.sessionId);
    if (session?.userId !== claims.userId) throw notLoggedIn();
    return claims;
  }

  /**
   * Exchanges a refresh token for new tokens; it can be used once. The token before the current one gets its successor
   * again for a short while; an older one is in two hands, and ends the session.
   * @throws AppError of kind "unauthenticated"
   */
  async refresh(refreshToken: string): Promise<{ user: ActiveUser } & SessionTokens> {
    const presented = this.options.refreshTokens.parse(refreshToken);
    if (!presented) throw notLoggedIn();
    const refreshed = await this.options.database.transaction((transaction) => this.exchange(presented, transaction));
    if (refreshed === "tooOld") {
      this.announceEnd({ sessionIds: [presented.sessionId], reason: "ended" });
      throw notLoggedIn();
    }
    return refreshed;
  }

  /** The living sessions of a person, the one used last first. */
  async list({ userId, sessionId }: Claims): Promise<OwnSession[]> {
    const sessions = await Session.findAll({
      where: {
        userId,
        revokedAt: null,
        refreshedAt: { [Op.gt]: new Date(Date.now() - this.options.refreshLifetimeMs) },
      },
      order: [
        ["lastUsedAt", "DESC"],
        ["id", "DESC"],
      ],
      limit: mostListed,
    });
    return sessions.map(({ id, userAgent, createdAt, lastUsedAt }) => ({
      id,
      userAgent,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt.toISOString(),
      current: id === sessionId,
    }));
  }

  /** Ends the session one is in; also where another request has just done it. */
  async logOut({ userId, sessionId }: Claims): Promise<void> {
    await Session.update({ revokedAt: new Date() }, { where: { id: sessionId, userId, revokedAt: null } });
    this.announceEnd({ sessionIds: [sessionId], reason: "ended" });
  }

  /** Ends one session of a person. */
  async end(userId: number, sessionId: number): Promise<void> {
    const [ended] = await Session.update(
      { revokedAt: new Date() },
      { where: { id: sessionId, userId, revokedAt: null } },
    );
    if (ended === 0) throw new AppError("notFound", "There is no such session");
    this.announceEnd({ sessionIds: [sessionId], reason: "ended" });
  }

  /** Ends every session of a person but this one. */
  async endOthers({ userId, sessionId }: Claims): Promise<void> {
    const sessionIds = await this.options.database.transaction((transaction) =>
      revokeSessions(userId, { except: sessionId, transaction }),
    );
    this.announceEnd({ sessionIds, reason: "ended" });
  }

  announceEnd(ended: SessionsEnded): void {
    if (ended.sessionIds.length > 0) this.options.onEnded(ended);
  }

  /** The exchange under the session's row lock, so that of two tabs the second finds what the first did. */
  private async exchange(
    presented: RefreshToken,
    transaction: Transaction,
  ): Promise<({ user: ActiveUser } & SessionTokens) | "tooOld"> {
    const { refreshTokens, refreshLifetimeMs, tokens } = this.options;
    const session = await Session.findOne({
      where: { id: presented.sessionId, revokedAt: null },
      lock: transaction.LOCK.UPDATE,
      transaction,
    });
    const user = session && (await User.findByPk(session.userId, { transaction }));
    if (!session || !isActive(user)) throw notLoggedIn();
    const age = Date.now() - session.refreshedAt.getTime();
    if (age > refreshLifetimeMs) throw notLoggedIn();

    const hash = hashOf(presented.text);
    const refreshToken = refreshTokens.successor(presented);
    const now = new Date();
    if (hash.equals(session.refreshHash)) {
      const change = { refreshHash: hashOf(refreshToken), previousHash: hash, refreshedAt: now, lastUsedAt: now };
      await session.update(change, { transaction });
    } else if (!session.previousHash?.equals(hash) || age > secondChanceMs) {
      await session.update({ revokedAt: now }, { transaction });
      return "tooOld";
    }
    return { user, ...tokens.issue({ userId: user.id, sessionId: session.id }), refreshToken };
  }
}

/** Marks sessions of a person as over, all or all but one. Whoever calls announces it once that is committed. */
export async function revokeSessions(
  userId: number,
  options: { except?: number; transaction: Transaction },
): Promise<number[]> {
  const { except, transaction } = options;
  const [, revoked] = await Session.update(
    { revokedAt: new Date() },
    {
      where: { userId, revokedAt: null, ...(except !== undefined && { id: { [Op.ne]: except } }) },
      returning: true,
      transaction,
    },
  );
  return revoked.map(({ id }) => id);
}
