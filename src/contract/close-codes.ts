/** Whether a client may open another socket: at once, after a pause, after a new log-in, or not at all. */
type Reconnect = "yes" | "later" | "afterLogIn" | "no";

interface CloseCode {
  /** Clients decide by it whether to reconnect, so it never changes. */
  code: number;
  /** The texts that are sent with the code, for people. Empty where the WebSocket library chooses them. */
  reasons: readonly string[];
  reconnect: Reconnect;
  /** When the server sends the code, and what the client should do. */
  description: string;
}

/** Every code with which the server closes a socket. */
export const closeCodeTable = {
  restart: {
    code: 1012,
    reasons: ["server restarting"],
    reconnect: "yes",
    description: "The server stops or restarts.",
  },
  internal: {
    code: 1011,
    reasons: ["internal error"],
    reconnect: "yes",
    description: "Internal server error.",
  },
  overloaded: {
    code: 1013,
    reasons: ["overloaded"],
    reconnect: "later",
    description: "The server has reached its limit of sockets. Reconnect with back-off.",
  },
  protocolError: {
    code: 1002,
    reasons: [],
    reconnect: "no",
    description: "The client violated the WebSocket protocol.",
  },
  binary: {
    code: 1003,
    reasons: ["text frames only"],
    reconnect: "no",
    description: "The client sent a binary frame.",
  },
  notUtf8: {
    code: 1007,
    reasons: [],
    reconnect: "no",
    description: "The client sent a text frame that is not UTF-8.",
  },
  tooManyFragments: {
    code: 1008,
    reasons: [],
    reconnect: "no",
    description: "The client sent a message in too many fragments.",
  },
  tooLarge: {
    code: 1009,
    reasons: [],
    reconnect: "no",
    description: "The client sent a frame that is too large.",
  },
  malformed: {
    code: 4400,
    reasons: ["too many malformed frames"],
    reconnect: "no",
    description: "The client sent too many malformed frames (`BAD_JSON`, `UNKNOWN_TYPE`, an invalid `requestId`).",
  },
  sessionEnded: {
    code: 4401,
    reasons: ["session ended", "token expired"],
    reconnect: "afterLogIn",
    description: "The session was ended, or the token of the socket expired. Refresh the token or log in again.",
  },
  accountDeleted: {
    code: 4403,
    reasons: ["account deleted"],
    reconnect: "no",
    description: "The account was deleted.",
  },
  tooSlow: {
    code: 4408,
    reasons: ["too slow: reconnect and sync"],
    reconnect: "yes",
    description: "The client reads its pushes too slowly. Reconnect and send `sync`.",
  },
  tooManySockets: {
    code: 4409,
    reasons: ["too many sockets"],
    reconnect: "no",
    description: "The user opened more sockets than one user may have; this was the oldest.",
  },
  flood: {
    code: 4429,
    reasons: ["too many requests", "too many pings"],
    reconnect: "later",
    description: "The client kept sending after `RATE_LIMITED`, or sent too many pings. Reconnect after 30 seconds.",
  },
} as const satisfies Record<string, CloseCode>;

type CloseName = keyof typeof closeCodeTable;

/** A text that is sent with a close code. The compiler rejects texts that the documents do not list. */
export type CloseReason = (typeof closeCodeTable)[CloseName]["reasons"][number];

/** The numbers by name, for the code that closes sockets. */
export const closeCodes = Object.fromEntries(
  Object.entries(closeCodeTable).map(([name, { code }]) => [name, code]),
) as { readonly [Name in CloseName]: (typeof closeCodeTable)[Name]["code"] };
