import type { Requester } from "../delivery/delivery.ts";

/** Who does something. */
export interface Actor {
  userId: number;
  /** The request that asked for it, where its asker waits for an answer on a socket. */
  requester?: Requester | undefined;
}
