import { createHash, randomBytes } from "node:crypto";
import { Op, type Transaction } from "sequelize";
import { Session, User } from "../models/index.ts";
import { type Claims, notLoggedIn, type Tokens } from "./tokens.ts";

/** Sessions that are over, for whoever holds connections of theirs open. */
export interface SessionsEnded {
  sessionIds: readonly number[];
  because: "ended" | "accountDeleted";
}

const longestUserAgent = 256;

/** Log-ins. A token is worth what its session is: the session is looked up at every use. */
export class Sessions {
  constructor(
    private readonly options: {
      tokens: Tokens;
      /** Hears of ended sessions after they are over. */
      onEnded: (ended: SessionsEnded) => void;
    },
  ) {}

  /** Starts a session, for someone who has just shown who they are. */
  async start(userId: number, device: { userAgent: string | undefined }, transaction: Transaction) {
    const refreshToken = randomBytes(32).toString("base64url");
    const { id: sessionId } = await Session.create(
      {
        userId,
        refreshHash: createHash("sha256").update(refreshToken).digest(),
        userAgent: device.userAgent?.slice(0, longestUserAgent) ?? null,
      },
      { transaction },
    );
    return { ...this.options.tokens.issue({ userId, sessionId }), refreshToken };
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
    const session = await Session.findOne({
      attributes: ["id"],
      where: { id: claims.sessionId, userId: claims.userId, revokedAt: null },
      include: [{ model: User, attributes: [], where: { deletedAt: null } }],
      raw: true,
    });
    if (!session) throw notLoggedIn();
    return claims;
  }

  /** Marks sessions of a person as over, all or all but one; `announceEnd` tells once that is committed. */
  async revokeAll(userId: number, options: { except?: number; transaction: Transaction }): Promise<number[]> {
    const [, revoked] = await Session.update(
      { revokedAt: new Date() },
      {
        where: { userId, revokedAt: null, ...(options.except !== undefined && { id: { [Op.ne]: options.except } }) },
        returning: true,
        transaction: options.transaction,
      },
    );
    return revoked.map(({ id }) => id);
  }

  announceEnd(ended: SessionsEnded): void {
    if (ended.sessionIds.length > 0) this.options.onEnded(ended);
  }
}
