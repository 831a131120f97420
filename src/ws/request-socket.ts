import type { Requester } from "../domain/actor.ts";
import type { Claims } from "../domain/session.ts";
import { AppError } from "../errors.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import type { Presence } from "../services/presence/presence-store.ts";
import type { PresenceTracker } from "../services/presence/presence-tracker.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { SocketControl, SyncSnapshot } from "./message-type.ts";

export interface RequestSocketOptions {
  connections: Connections;
  sessions: Sessions;
  presence: PresenceTracker<Connection>;
}

/** The socket of one request, as its handler sees it. */
export class RequestSocket implements SocketControl {
  constructor(
    private readonly options: RequestSocketOptions,
    private readonly connection: Connection,
    private readonly requester: Requester,
  ) {}

  /** @throws AppError of kind "validation" for every unusable token, also for a token of another user */
  async renew(token: string): Promise<Claims> {
    const { connections, sessions } = this.options;
    const unusable = new AppError("validation", '"token" must be a valid token of your account', { field: "token" });
    try {
      await connections.admit(token, sessions, (claims) => {
        if (claims.userId !== this.connection.userId) throw unusable;
        this.connection.renew(claims);
      });
    } catch (error) {
      throw error instanceof AppError && error.kind === "unauthenticated" ? unusable : error;
    }
    return this.connection.claims;
  }

  bufferPushes(): (snapshot: SyncSnapshot) => void {
    return this.connection.bufferPushes(this.requester);
  }

  watchPresence(userIds: readonly number[]): Promise<Presence[]> {
    return this.options.presence.watch(this.connection, userIds);
  }

  changeWatchedPresence(change: { add: readonly number[]; remove: readonly number[] }): Promise<Presence[]> {
    return this.options.presence.changeWatched(this.connection, change);
  }
}
