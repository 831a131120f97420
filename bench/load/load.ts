import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Load that is ready to start: its sockets are open. */
export interface ReadyLoad<Result> {
  /** Runs the job to its end. Once. */
  run(): Promise<Result>;
  /** Closes the sockets. */
  close(): Promise<void>;
}

/**
 * Gives a job to a process of its own, made with `serveLoad`, and waits until it has opened its sockets.
 * @throws Error when the process ends instead; what it says of that is on stderr
 */
export async function prepareLoad<Job, Result>(file: string, job: Job): Promise<ReadyLoad<Result>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  const exit = once(child, "exit");
  const ended = exit.then(() => {
    throw new Error(`the load of ${file} ended`);
  });
  ended.catch(() => {});
  const ask = async (message: unknown) => {
    const answer = once(child, "message");
    child.send(message as object);
    return (await Promise.race([answer, ended]))[0];
  };
  await ask(job);
  return {
    run: () => ask("run"),
    async close() {
      child.kill();
      await exit;
    },
  };
}
