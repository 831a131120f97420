/** The job of `chat-process`: users who send messages for a while. */
export interface ChatJob {
  url: string;
  /** One socket per token. */
  tokens: string[];
  /** Sockets that request the history of a chat repeatedly and stop reading before the responses. */
  stalledReaders?: { tokens: string[]; chatId: number };
  streams: Stream[];
  /** Maximum number of unacknowledged messages per stream. */
  inFlight: number;
  /** Rate of all streams together; without it, each response triggers the next send. */
  perSecond?: number;
  seconds: number;
}

/** Messages of one sender to one chat. */
export interface Stream {
  /** The index in `tokens` of the sending socket. No two streams share one. */
  sender: number;
  to: { receiverId: number } | { groupId: number };
  /** Number of sockets to which each message must be pushed. */
  recipients: number;
}

/** Streams of pairs of users: in pair `p`, counted from 0, user `2p + 1` sends to user `2p + 2`. */
const pairStreams = (pairs: number): Stream[] =>
  Array.from({ length: pairs }, (_, pair) => ({
    sender: 2 * pair,
    to: { receiverId: 2 * pair + 2 },
    recipients: 1,
  }));

/** Pairs of users of a server of whom one sends to the other. */
export const pairsJob =
  (pairs: number, load: Pick<ChatJob, "inFlight" | "perSecond" | "seconds">) =>
  ({ url, tokenOf }: { url: string; tokenOf(userId: number): string }): ChatJob => ({
    url,
    tokens: Array.from({ length: 2 * pairs }, (_, index) => tokenOf(index + 1)),
    streams: pairStreams(pairs),
    ...load,
  });

export interface ChatResult {
  acknowledged: number;
  delivered: number;
  /** Time from the first send to the last response or push. */
  elapsedMs: number;
  /** Times from the due time of a message to its pushes, ascending. */
  latenciesMs: Float64Array;
  /** Number of lost, duplicated or rejected messages, by kind of fault. */
  faults: Record<string, number>;
}
