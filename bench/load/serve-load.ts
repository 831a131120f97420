import { once } from "node:events";

/** The other side of `prepareLoad`: opens what the job needs, says so, and runs it when told to. */
export async function serveLoad<Job, Result>(prepare: (job: Job) => Promise<() => Promise<Result>>): Promise<void> {
  process.once("disconnect", () => process.exit());
  const [job] = await once(process, "message");
  const run = await prepare(job);
  const told = once(process, "message");
  process.send?.("ready");
  await told;
  process.send?.(await run());
}
