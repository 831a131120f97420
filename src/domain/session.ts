/** The content of a valid access token. */
export interface Claims {
  userId: number;
  sessionId: number;
  /** When the token expires, in seconds since the epoch. */
  exp: number;
  /** Whether the user has to confirm an e-mail address first, as of when the session was looked up. */
  isUnverified?: boolean;
}

/** Why a session ended. */
export const sessionEndReasons = ["ended", "accountDeleted"] as const;

/** Sessions that have ended; their connections must be closed. */
export interface SessionsEnded {
  sessionIds: readonly number[];
  reason: (typeof sessionEndReasons)[number];
}
