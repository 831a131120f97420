import { availableParallelism } from "node:os";
import { Computed, group, integer } from "../setting.ts";

const threads = integer(
  "UV_THREADPOOL_SIZE",
  [1, 1024],
  4,
  "Threads in which Node hashes passwords, resolves names and reads files. Has no effect in `.env`: Node reads it earlier.",
);

/** One thread is left for name resolution and files. */
const hashingThreads = (threadCount: number): number => Math.max(1, threadCount - 1);

/** One processor core is left for everything else. */
const defaultHashingThreads = (threadCount: number): number =>
  Math.max(1, Math.min(availableParallelism() - 1, hashingThreads(threadCount)));

export const passwordSettings = group(
  { title: "Passwords (bcrypt)" },
  {
    cost: integer(
      "BCRYPT_COST",
      [4, 18],
      12,
      "Work factor: each step doubles the time, 12 takes about 0.25 s. Stored hashes are renewed at the next log-in.",
    ),
    concurrency: integer(
      "BCRYPT_PARALLEL",
      [1, Computed.from(threads, hashingThreads, "UV_THREADPOOL_SIZE - 1")],
      Computed.from(threads, defaultHashingThreads, "processor cores - 1, at most UV_THREADPOOL_SIZE - 1"),
      "Passwords hashed at the same time; one thread is left for other work.",
    ),
    maxQueued: integer(
      "BCRYPT_QUEUE",
      [1, 10_000],
      32,
      "Most passwords that wait to be hashed; other log-ins get 503.",
    ),
    threads,
  },
);
