import type { Connection } from "./connection.ts";

/**
 * Rejects what users write who have to confirm their e-mail address first. A connection knows from its session whether that
 * is so. Only then the database is asked, because the user may have confirmed it since, on any process; so it costs nobody
 * else anything.
 */
export class VerificationGate {
  private readonly checks = new WeakMap<Connection, Promise<void>>();

  /** @param requireVerified throws an AppError of kind "forbidden" for a user who has not confirmed the address */
  constructor(private readonly requireVerified: (userId: number) => Promise<void>) {}

  /** @throws AppError of kind "forbidden" */
  pass(connection: Connection): Promise<void> {
    return this.checks.get(connection) ?? this.start(connection);
  }

  /**
   * Requests that arrive during a check wait for the same one. It stays until they have gone on, so that none that arrives
   * later overtakes them.
   */
  private start(connection: Connection): Promise<void> {
    const check = this.requireVerified(connection.userId);
    this.checks.set(connection, check);
    const finish = (isVerified: boolean) =>
      setImmediate(() => {
        this.checks.delete(connection);
        if (isVerified) connection.markVerified();
      });
    check.then(
      () => finish(true),
      () => finish(false),
    );
    return check;
  }
}
