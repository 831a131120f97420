import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { errorLines, fuzzSettings, registerPeople } from "./fuzz/server.ts";
import { Device } from "./support/device.ts";
import { type ResourceUsage, ServerProcess, withResourceProbe } from "./support/process.ts";

// npm run soak -- --minutes 30: runs a server process with many idle sockets and some that send all the time. Prints its
// resource usage at intervals, and the growth at the end.

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    idle: { type: "string", default: "1000" },
    active: { type: "string", default: "100" },
    interval: { type: "string", default: "10" },
  },
});
const [minutes, idle, active, intervalSeconds] = [
  Number(values.minutes),
  Number(values.idle),
  Number(values.active),
  Number(values.interval),
];
const socketsPerPerson = 10;
/** Between two messages of an active socket. */
const pauseMs = 1000;
/** The share of the samples to leave out of the slope, while code is still loaded and compiled. */
const warmUpShare = 0.25;

const print = (line: string) => process.stdout.write(`${line}\n`);
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

interface Sample {
  seconds: number;
  usage: ResourceUsage;
}

/** The growth of a measure per hour: the slope of the linear regression. */
function slopePerHour(samples: readonly Sample[], measure: (usage: ResourceUsage) => number): number {
  const mean = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0) / numbers.length;
  const [meanX, meanY] = [
    mean(samples.map(({ seconds }) => seconds)),
    mean(samples.map(({ usage }) => measure(usage))),
  ];
  let [covariance, variance] = [0, 0];
  for (const { seconds, usage } of samples) {
    covariance += (seconds - meanX) * (measure(usage) - meanY);
    variance += (seconds - meanX) ** 2;
  }
  return (covariance / variance) * 3600;
}

const measures: Record<string, { of: (usage: ResourceUsage) => number; unit: string; perUnit: number }> = {
  rss: { of: ({ rss }) => rss, unit: "MiB", perUnit: 2 ** 20 },
  heap: { of: ({ heapUsed }) => heapUsed, unit: "MiB", perUnit: 2 ** 20 },
  handles: { of: ({ resources }) => sum(resources) - (resources.Timeout ?? 0), unit: "", perUnit: 1 },
  timers: { of: ({ resources }) => resources.Timeout ?? 0, unit: "", perUnit: 1 },
};

const format = (usage: ResourceUsage): string =>
  Object.entries(measures)
    .map(([name, { of, unit, perUnit }]) => `${name} ${(of(usage) / perUnit).toFixed(unit ? 1 : 0)} ${unit}`.trim())
    .join(", ");

const folder = await mkdtemp(join(tmpdir(), "messenger-soak-"));
const server = await ServerProcess.start({ ...fuzzSettings, DATA_DIR: folder }, withResourceProbe);
let hasPassed = true;
try {
  const people = await registerPeople(server, Math.ceil((idle + active) / socketsPerPerson));
  const devices: { device: Device; userId: number }[] = [];
  for (let number = 0; number < idle + active; number++) {
    // The active sockets are the last ones, so they belong to few users with all their devices.
    const person = people[Math.floor(number / socketsPerPerson)];
    if (!person) throw new Error("too few accounts");
    const headers = { authorization: `Bearer ${person.token}` };
    devices.push({
      device: await Device.connect(`ws://127.0.0.1:${server.port}`, { headers }),
      userId: person.id,
    });
  }
  print(`${devices.length} sockets are open, of which ${active} are active`);

  let isStopping = false;
  let sent = 0;
  const chat = async ({ device }: { device: Device }, index: number) => {
    await wait((pauseMs / active) * index);
    while (!isStopping) {
      const receiverId = devices[idle + ((index * 7 + sent) % active)]?.userId ?? 0;
      await device.request("privateMessage", { receiverId, content: `message ${sent}` });
      sent++;
      await wait(pauseMs);
    }
  };
  const chatting = Promise.all(devices.slice(idle).map(chat));

  const startedAt = Date.now();
  const samples: Sample[] = [];
  while (Date.now() - startedAt < minutes * 60_000) {
    await Promise.race([wait(intervalSeconds * 1000), chatting]);
    const sample = { seconds: Math.round((Date.now() - startedAt) / 1000), usage: await server.resourceUsage() };
    samples.push(sample);
    print(`${sample.seconds} s: ${sent} messages, ${format(sample.usage)}`);
    for (const { device } of devices) device.frames.length = 0;
  }
  isStopping = true;
  await chatting;
  const measured = samples.slice(Math.floor(samples.length * warmUpShare));
  for (const [name, { of, unit, perUnit }] of Object.entries(measures)) {
    print(`${name}: ${(slopePerHour(measured, of) / perUnit).toFixed(1)} ${unit} per hour`);
  }
  print(`resources ${JSON.stringify(samples.at(-1)?.usage.resources)}`);
} finally {
  const { code, output } = await server.stop("SIGTERM");
  const errors = errorLines(output);
  hasPassed = code === 0 && errors.length === 0;
  print(`exited with ${code}; ${errors.length} error lines in the log ${errors.slice(0, 5).join("\n")}`);
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = hasPassed ? 0 : 1;
