import type { Connection } from "./connection.ts";

type Backlog = Pick<Connection, "isOpen" | "backlogBytes" | "giveUp">;

const everyMs = 1000;

/**
 * Keeps what waits for slow clients within the memory there is: where all of it together is too much, the slowest are
 * given up first. Each socket has its own bound beside this one, see `Outbox`.
 * @returns what stops it
 */
export function watchBacklogs(connections: Iterable<Backlog>, mostBytes: number): () => void {
  const round = setInterval(() => {
    const waiting = [...connections].filter(({ isOpen, backlogBytes }) => isOpen && backlogBytes > 0);
    let bytes = waiting.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0);
    if (bytes <= mostBytes) return;
    for (const connection of waiting.sort((a, b) => b.backlogBytes - a.backlogBytes)) {
      bytes -= connection.backlogBytes;
      connection.giveUp();
      if (bytes <= mostBytes) return;
    }
  }, everyMs).unref();
  return () => clearInterval(round);
}
