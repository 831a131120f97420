import type { ConnectionLimits } from "./connection.ts";
import type { FloodLimits } from "./flood-guard.ts";
import type { HeartbeatTimes } from "./heartbeat.ts";

/** Largest frame of a client in bytes, however many fragments it comes in; more closes with 1009. Holds any message. */
export const maxFrameBytes = 32 * 1024;

/** Fragments of one frame; more closes with 1008. */
const maxFragments = 64;

/** Pieces in which the network may deliver one frame; more closes with 1008. */
const maxChunks = 1024;

/** Requests of one socket without an answer, at which the socket is not read any more until one is answered. */
export const maxRequestsInFlight = 32;

/** Malformed frames within ten seconds that close the socket with 4400. */
const maxMalformedFrames = 20;

/** Rate limited frames within ten seconds that close the socket with 4429. */
const maxRateLimitedFrames = 100;

/** Pings, and pongs that answer no ping, within ten seconds that close the socket with 4429. */
const maxControlFrames = 100;

/** Interval between two pings to a client, in milliseconds. */
const pingIntervalMs = 25_000;

/** Time for a client to answer a ping, in milliseconds; then it is disconnected. Shorter than the interval. */
const pongTimeoutMs = 10_000;

/** Time for a client to answer a close frame, in milliseconds; then it is disconnected. */
const closeTimeoutMs = 5000;

/** Everything that limits one socket, and the memory of all of them. */
export interface SocketLimits extends ConnectionLimits, FloodLimits, HeartbeatTimes {
  frameBytes: number;
  fragments: number;
  chunks: number;
  /** Bytes waiting on all sockets together, over which the slowest are given up. */
  unsentBytesInAll: number;
  closeWithinMs: number;
}

/** The limits that are fixed by the protocol, completed by those that an administrator sets. */
export function socketLimits(options: {
  /** Buffered bytes of pushes to one client. */
  maxUnsentBytes: number;
  /** Buffered bytes to all clients. */
  maxTotalUnsentBytes: number;
  stalledMs: number;
  /** Whether floods close a socket with 4429. */
  closesFloods: boolean;
}): SocketLimits {
  return {
    frameBytes: maxFrameBytes,
    fragments: maxFragments,
    chunks: maxChunks,
    unanswered: maxRequestsInFlight,
    malformed: maxMalformedFrames,
    rateLimited: maxRateLimitedFrames,
    control: options.closesFloods ? maxControlFrames : Number.POSITIVE_INFINITY,
    ephemeralBytes: options.maxUnsentBytes / 4,
    pushBytes: options.maxUnsentBytes,
    unsentBytesInAll: options.maxTotalUnsentBytes,
    stalledMs: options.stalledMs,
    pingEveryMs: pingIntervalMs,
    pongWithinMs: pongTimeoutMs,
    closeWithinMs: closeTimeoutMs,
  };
}
