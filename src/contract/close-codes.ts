/** Why the server closes a socket. Clients decide by the number whether to come back, so none ever changes. */
export const closeCodes = {
  /** The server stops or restarts: come back. */
  restart: 1012,
  /** Our fault: come back. */
  internal: 1011,
  /** More sockets than this process serves: come back, slowly. */
  overloaded: 1013,
  /** Only text frames are spoken here. */
  binary: 1003,
  /** Twenty malformed frames in ten seconds: the client is broken. */
  malformed: 4400,
  /** The session was ended or has run out: log in again. */
  sessionEnded: 4401,
  /** The account is gone. */
  accountDeleted: 4403,
  /** What is pushed waits too long for the client to read it: come back, and sync. */
  tooSlow: 4408,
  /** The person has opened more sockets than one may have; this was the oldest. */
  tooManySockets: 4409,
  /** Went on although refused with RATE_LIMITED, or pings without end: come back after 30 seconds. */
  flood: 4429,
} as const;
