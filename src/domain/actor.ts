/** The request that asked for a change. Compared by identity only: its client gets the answer instead of the push. */
export type Requester = object;

/** The user on whose behalf something is done. */
export interface Actor {
  userId: number;
  /** Absent where no request on a socket waits for the answer. */
  requester?: Requester | undefined;
}
