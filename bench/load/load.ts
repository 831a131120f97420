import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A load process whose sockets are open. */
export interface ReadyLoad<Result> {
  /** Runs the job to its end. May be called once. */
  run(): Promise<Result>;
  /** Ends a job that has no end of its own. */
  stop(): void;
  /** Closes the sockets. */
  close(): Promise<void>;
}

/**
 * Starts a process for a job, implemented with `serveLoad`, and waits until it has opened its sockets.
 * @throws Error when the process exits; its output is on stderr
 */
export async function prepareLoad<Job, Result>(file: string, job: Job): Promise<ReadyLoad<Result>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  const exit = once(child, "exit");
  const exited = exit.then(() => {
    throw new Error(`the load process ${file} exited`);
  });
  exited.catch(() => {});
  const exchange = async (message: unknown) => {
    const response = once(child, "message");
    child.send(message as object);
    return (await Promise.race([response, exited]))[0];
  };
  await exchange(job);
  return {
    run: () => exchange("run"),
    stop: () => void child.send("stop"),
    async close() {
      child.kill();
      await exit;
    },
  };
}
