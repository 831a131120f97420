import type { Claims, SessionsEnded } from "../domain/session.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import { notLoggedIn } from "../services/accounts/tokens.ts";
import type { Connection, OutgoingPush } from "./connection.ts";
import { closeCodes } from "../contract/close-codes.ts";

/** Somebody who is about to be let in, from the moment a token was shown. */
interface PendingAdmission {
  /** Set when the session ended while it was being looked up. */
  refused: boolean;
}

/** Who is connected: the sockets of each person. */
export class Connections {
  /** Beside `byUser`, since whoever looks at all of them every second should make no object for each. */
  private readonly all = new Set<Connection>();
  /** The oldest first. */
  private readonly byUser = new Map<number, Connection[]>();
  /** Whose client has gone, while not all is done that it asked for. */
  private readonly leaving = new Set<Connection>();
  private readonly admissions = new Map<number, Set<PendingAdmission>>();

  constructor(private readonly options: { maxPerUser: number }) {}

  /**
   * Lets somebody in under a token: `enter` is called once its session has been looked up. The session is noted before
   * it is looked up, so that its end in between is not missed.
   * @throws AppError of kind "unauthenticated"
   */
  async admit(token: string | undefined, sessions: Sessions, enter: (claims: Claims) => void): Promise<void> {
    const { sessionId } = sessions.claimsOf(token);
    const admission: PendingAdmission = { refused: false };
    add(this.admissions, sessionId, admission);
    try {
      const claims = await sessions.authenticate(token);
      if (admission.refused) throw notLoggedIn();
      enter(claims);
    } finally {
      remove(this.admissions, sessionId, admission);
    }
  }

  /** Takes an open connection in; where that is one more than a person may have, the oldest goes. */
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

  /** Takes a closed connection out. What it asked for is still done, as long as its session lasts. */
  remove(connection: Connection): void {
    this.leaving.add(connection);
    void connection.finish().then(() => this.leaving.delete(connection));
    const { userId } = connection.claims;
    const left = this.byUser.get(userId)?.filter((other) => other !== connection) ?? [];
    this.all.delete(connection);
    if (left.length > 0) this.byUser.set(userId, left);
    else this.byUser.delete(userId);
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.all.values();
  }

  /** How many sockets there are. */
  get count(): number {
    return this.all.size;
  }

  /** Pushes a frame to every device of these people. The text is made once, and only if someone is there. */
  push(userIds: readonly number[], makePush: () => OutgoingPush): void {
    let push: OutgoingPush | undefined;
    for (const userId of userIds) {
      for (const connection of this.byUser.get(userId) ?? []) {
        push ??= makePush();
        connection.push(push);
      }
    }
  }

  /** How many sockets a person has open. */
  countOf(userId: number): number {
    return this.byUser.get(userId)?.length ?? 0;
  }

  /** Everybody who has a socket open. */
  userIds(): number[] {
    return [...this.byUser.keys()];
  }

  /** Closes whatever these sessions hold open, and whatever is being opened for them. */
  readonly endSessions = ({ sessionIds, reason }: SessionsEnded): void => {
    const [code, closeReason] =
      reason === "accountDeleted"
        ? [closeCodes.accountDeleted, "account deleted"]
        : [closeCodes.sessionEnded, "session ended"];
    for (const sessionId of sessionIds) {
      for (const admission of this.admissions.get(sessionId) ?? []) admission.refused = true;
    }
    const ended = new Set(sessionIds);
    for (const connections of [this.all, this.leaving]) {
      for (const connection of connections) {
        if (ended.has(connection.claims.sessionId)) connection.close(code, closeReason);
      }
    }
  };
}

function add<T>(map: Map<number, Set<T>>, key: number, value: T): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

function remove<T>(map: Map<number, Set<T>>, key: number, value: T): void {
  const set = map.get(key);
  if (set?.delete(value) && set.size === 0) map.delete(key);
}
