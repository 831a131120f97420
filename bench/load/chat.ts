/** People who write for a while: what `talk-process` does. */
export interface TalkJob {
  url: string;
  /** One socket for each. */
  tokens: string[];
  /** Sockets that ask for the history of a chat, again and again, and stop reading before it comes. */
  stopped?: { tokens: string[]; chatId: number };
  streams: Stream[];
  /** How many messages each stream has without an answer at the most. */
  inFlight: number;
  /** Messages of all streams together; unless given, as fast as the answers come. */
  perSecond?: number;
  seconds: number;
}

/** Messages of one sender to one chat. */
export interface Stream {
  /** The socket that sends: an index of `tokens`. No two streams share one. */
  sender: number;
  to: { receiverId: number } | { groupId: number };
  /** How many sockets each message is to be pushed to. */
  recipients: number;
}

export interface TalkResult {
  acknowledged: number;
  delivered: number;
  /** From the first send until the last answer and the last push. */
  elapsedMs: number;
  /** From the moment a message was due until it was pushed, rising. */
  latenciesMs: Float64Array;
  /** Messages that were lost, doubled or refused: what, and how many. */
  faults: Record<string, number>;
}
