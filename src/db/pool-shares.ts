/** How many connections of the pool the two heavy users of the database may occupy at a time. */
export interface PoolShares {
  reads: number;
  sends: number;
}

/**
 * Divides the connections. The embedded database has one connection, for which everything waits while a transaction is
 * open. On a server half of the connections are left to writes.
 */
export const poolShares = ({ embedded, poolSize }: { embedded: boolean; poolSize: number }): PoolShares =>
  embedded ? { reads: 1, sends: 1 } : { reads: Math.ceil(poolSize / 2), sends: poolSize < 4 ? 1 : 2 };
