import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ServerProcess, withResourceProbe } from "../support/process.ts";
import { badFrames } from "./bad-frames.ts";
import { HealthyPair } from "./healthy-pair.ts";
import { protocolViolations } from "./protocol-violations.ts";
import { Fuzzer } from "./run.ts";
import { errorLines, fuzzSettings, registerPeople } from "./server.ts";

// npm run fuzz -- --frames 10000 --seed 7

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const kindCount = Object.keys(badFrames).length + Object.keys(protocolViolations).length;
const [frames, seed] = [Number(values.frames), Number(values.seed)];
const attackerCount = 4;
/** Maximum heap use a minute after the run, relative to the one before. */
const maxHeapGrowth = 1.1;
const settleSeconds = 60;

const print = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

const folder = await mkdtemp(join(tmpdir(), "messenger-fuzz-"));
const server = await ServerProcess.start({ ...fuzzSettings, DATA_DIR: folder }, withResourceProbe);
const faults: string[] = [];
try {
  const [ann, bob, ...attackers] = await registerPeople(server, attackerCount + 2);
  if (!ann || !bob) throw new Error("too few accounts");

  // Warm up, so that code loaded and compiled on first use counts as heap use before the run.
  await new Fuzzer(server.port, seed + 1).run(attackers, 1200);
  await (await HealthyPair.start(server.port, [ann, bob], 200)).finish();
  const before = await server.resourceUsage();

  print(`seed ${seed}: ${frames} frames of ${kindCount} kinds`);
  const startedAt = Date.now();
  const pair = await HealthyPair.start(server.port, [ann, bob], 100);
  const fuzzer = new Fuzzer(server.port, seed);
  await fuzzer.run(attackers, frames);
  const { report } = fuzzer;
  const { messages, faults: pairFaults } = await pair.finish();
  faults.push(...report.faults, ...pairFaults);
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  print(
    `${report.frames} frames on ${report.sockets} sockets in ${seconds} s; the pair sent ${messages} messages each`,
  );
  print(`errors ${JSON.stringify(report.byError)}`);
  print(`close codes ${JSON.stringify(report.byCloseCode)}`);
  print(`kinds ${JSON.stringify(report.byKind)}`);

  let after = await server.resourceUsage();
  print(`heap before ${megabytes(before.heapUsed)}, after the run ${megabytes(after.heapUsed)}`);
  await wait(settleSeconds * 1000);
  after = await server.resourceUsage();
  print(
    `heap ${settleSeconds} s later ${megabytes(after.heapUsed)} (${(after.heapUsed / before.heapUsed).toFixed(3)})`,
  );
  print(`resources before ${JSON.stringify(before.resources)}, after ${JSON.stringify(after.resources)}`);
  if (after.heapUsed > before.heapUsed * maxHeapGrowth)
    faults.push("the heap has not shrunk to its size before the run");
} finally {
  const { code, output } = await server.stop("SIGTERM");
  if (code !== 0) faults.push(`the server exited with ${code}`);
  faults.push(...errorLines(output));
  await rm(folder, { recursive: true, force: true });
}
for (const fault of faults.slice(0, 20)) print(fault);
print(`${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
