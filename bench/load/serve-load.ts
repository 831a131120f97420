import { once } from "node:events";

/** The process side of `prepareLoad`: prepares the job, reports that it is ready, and runs it on request. */
export async function serveLoad<Job, Result>(prepare: (job: Job) => Promise<() => Promise<Result>>): Promise<void> {
  process.once("disconnect", () => process.exit());
  const [job] = await once(process, "message");
  const run = await prepare(job);
  const start = once(process, "message");
  process.send?.("ready");
  await start;
  process.send?.(await run());
}
