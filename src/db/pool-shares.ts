/** How many connections of the pool the heavy users of the database may occupy at a time. */
export interface PoolShares {
  reads: number;
  /** Changes of chats other than sends. */
  changes: number;
  sends: number;
}

/**
 * Divides the connections. The embedded database has one connection, for which everything waits while a transaction is
 * open. On a server half of the connections are left to writes.
 */
export function poolShares({ embedded, poolSize }: { embedded: boolean; poolSize: number }): PoolShares {
  if (embedded) return { reads: 1, changes: 1, sends: 1 };
  const [reads, sends] = [Math.ceil(poolSize / 2), poolSize < 4 ? 1 : 2];
  return { reads, changes: Math.max(1, poolSize - reads - sends), sends };
}
