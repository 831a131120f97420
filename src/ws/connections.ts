import { type CloseReason, closeCodes } from "../contract/close-codes.ts";
import type { Claims, SessionsEnded } from "../domain/session.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import { notLoggedIn } from "../services/accounts/tokens.ts";
import type { Connection } from "./connection.ts";
import type { OutgoingPush } from "./reply-order.ts";

/** A client that has presented a token and whose session is being looked up. */
interface PendingAdmission {
  /** Set if the session ends during the lookup. */
  isRevoked: boolean;
}

/** The open connections of this process, by user. */
export class Connections {
  /** Kept beside `byUser`, so that the monitor can iterate every second without allocating per user. */
  private readonly all = new Set<Connection>();
  /** The oldest connection of each user comes first. */
  private readonly byUser = new Map<number, Connection[]>();
  /** Closed by the client while some of its requests are still pending. */
  private readonly closing = new Set<Connection>();
  private readonly admissions = new Map<number, Set<PendingAdmission>>();

  constructor(private readonly options: { maxPerUser: number }) {}

  /**
   * Verifies a token, then calls `onAdmitted`. The admission is registered before the session is looked up, so that a
   * session that ends in between is not missed.
   * @throws AppError of kind "unauthenticated"
   */
  async admit(token: string | undefined, sessions: Sessions, onAdmitted: (claims: Claims) => void): Promise<void> {
    const { sessionId } = sessions.claimsOf(token);
    const admission: PendingAdmission = { isRevoked: false };
    addTo(this.admissions, sessionId, admission);
    try {
      const claims = await sessions.authenticate(token);
      if (admission.isRevoked) throw notLoggedIn();
      onAdmitted(claims);
    } finally {
      removeFrom(this.admissions, sessionId, admission);
    }
  }

  /** Adds an open connection. If the user then has too many, the oldest one is closed. */
  add(connection: Connection): void {
    const { userId } = connection.claims;
    const others = this.byUser.get(userId);
    this.all.add(connection);
    if (!others) {
      this.byUser.set(userId, [connection]);
      return;
    }
    const [oldest, ...rest] = others.filter(({ isOpen }) => isOpen);
    if (oldest && rest.length + 2 > this.options.maxPerUser) {
      oldest.close(closeCodes.tooManySockets, "too many sockets");
    }
    others.push(connection);
  }

  /** Removes a closed connection. Its pending requests are still executed, unless its session ends. */
  remove(connection: Connection): void {
    this.closing.add(connection);
    void connection.finish().then(() => this.closing.delete(connection));
    const { userId } = connection.claims;
    const remaining = this.byUser.get(userId)?.filter((other) => other !== connection) ?? [];
    this.all.delete(connection);
    if (remaining.length > 0) this.byUser.set(userId, remaining);
    else this.byUser.delete(userId);
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.all.values();
  }

  /** The number of open connections. */
  get count(): number {
    return this.all.size;
  }

  /** Bytes that wait to be sent to all of them. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const { unsentBytes } of this.all) bytes += unsentBytes;
    return bytes;
  }

  /** Pushes a frame to all devices of these users. The frame is made once, and only if one of them is connected. */
  push(userIds: readonly number[], makePush: () => OutgoingPush): void {
    let push: OutgoingPush | undefined;
    for (const userId of userIds) {
      for (const connection of this.byUser.get(userId) ?? []) {
        push ??= makePush();
        connection.push(push);
      }
    }
  }

  /** The number of open connections of a user. */
  countOf(userId: number): number {
    return this.byUser.get(userId)?.length ?? 0;
  }

  /** The users who have an open connection. */
  userIds(): number[] {
    return [...this.byUser.keys()];
  }

  /** Closes all connections; their clients reconnect and sync. */
  readonly restartAll = (): void => {
    for (const connection of this.all) connection.close(closeCodes.restart, "server restarting");
  };

  /** Closes the connections of these sessions and revokes their pending admissions. */
  readonly endSessions = ({ sessionIds, reason }: SessionsEnded): void => {
    const [code, closeReason]: [number, CloseReason] =
      reason === "accountDeleted"
        ? [closeCodes.accountDeleted, "account deleted"]
        : [closeCodes.sessionEnded, "session ended"];
    for (const sessionId of sessionIds) {
      for (const admission of this.admissions.get(sessionId) ?? []) admission.isRevoked = true;
    }
    const ended = new Set(sessionIds);
    for (const connections of [this.all, this.closing]) {
      for (const connection of connections) {
        if (ended.has(connection.claims.sessionId)) connection.close(code, closeReason);
      }
    }
  };
}

function addTo<T>(map: Map<number, Set<T>>, key: number, value: T): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

function removeFrom<T>(map: Map<number, Set<T>>, key: number, value: T): void {
  const set = map.get(key);
  if (set?.delete(value) && set.size === 0) map.delete(key);
}
