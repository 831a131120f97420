import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { registerPeople, settings, troubleIn } from "./fuzz/server.ts";
import { Device } from "./support/device.ts";
import { type ResourceUsage, ServerProcess, withResourceProbe } from "./support/process.ts";

// npm run soak -- --minutes 30: a server process with many sockets that are only there and some that talk all the time.
// Says now and then what it holds, and in the end how that grew.

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
/** Between two messages of one active socket. */
const pauseMs = 1000;
/** Of what is measured, for loading and compiling: it does not count for the slope. */
const warmUpShare = 0.25;

const print = (line: string) => process.stdout.write(`${line}\n`);
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

interface Sample {
  seconds: number;
  probed: ResourceUsage;
}

/** How much a measure grows in an hour: the slope of the straight line that fits best. */
function slopePerHour(samples: readonly Sample[], measure: (probed: ResourceUsage) => number): number {
  const mean = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0) / numbers.length;
  const [meanX, meanY] = [
    mean(samples.map(({ seconds }) => seconds)),
    mean(samples.map(({ probed }) => measure(probed))),
  ];
  let [covariance, variance] = [0, 0];
  for (const { seconds, probed } of samples) {
    covariance += (seconds - meanX) * (measure(probed) - meanY);
    variance += (seconds - meanX) ** 2;
  }
  return (covariance / variance) * 3600;
}

const measures: Record<string, { of: (probed: ResourceUsage) => number; unit: string; perUnit: number }> = {
  rss: { of: ({ rss }) => rss, unit: "MiB", perUnit: 2 ** 20 },
  heap: { of: ({ heapUsed }) => heapUsed, unit: "MiB", perUnit: 2 ** 20 },
  handles: { of: ({ resources }) => sum(resources) - (resources.Timeout ?? 0), unit: "", perUnit: 1 },
  timers: { of: ({ resources }) => resources.Timeout ?? 0, unit: "", perUnit: 1 },
};

const shown = (probed: ResourceUsage): string =>
  Object.entries(measures)
    .map(([name, { of, unit, perUnit }]) => `${name} ${(of(probed) / perUnit).toFixed(unit ? 1 : 0)} ${unit}`.trim())
    .join(", ");

const folder = await mkdtemp(join(tmpdir(), "messenger-soak-"));
const server = await ServerProcess.start({ ...settings, DATA_DIR: folder }, withResourceProbe);
let isFine = true;
try {
  const people = await registerPeople(server, Math.ceil((idle + active) / socketsPerPerson));
  const devices: { device: Device; userId: number }[] = [];
  for (let number = 0; number < idle + active; number++) {
    // The active ones are the last, so that they are few people with all their devices.
    const person = people[Math.floor(number / socketsPerPerson)];
    if (!person) throw new Error("nobody is there");
    const headers = { authorization: `Bearer ${person.token}` };
    devices.push({
      device: await Device.connect(`ws://127.0.0.1:${server.port}`, { headers }),
      userId: person.id,
    });
  }
  print(`${devices.length} sockets are open, of which ${active} talk`);

  let isOver = false;
  let sent = 0;
  const talk = async ({ device }: { device: Device }, index: number) => {
    await wait((pauseMs / active) * index);
    while (!isOver) {
      const receiverId = devices[idle + ((index * 7 + sent) % active)]?.userId ?? 0;
      await device.request("privateMessage", { receiverId, content: `message ${sent}` });
      sent++;
      await wait(pauseMs);
    }
  };
  const talking = Promise.all(devices.slice(idle).map(talk));

  const startedAt = Date.now();
  const samples: Sample[] = [];
  while (Date.now() - startedAt < minutes * 60_000) {
    await Promise.race([wait(intervalSeconds * 1000), talking]);
    const sample = { seconds: Math.round((Date.now() - startedAt) / 1000), probed: await server.resourceUsage() };
    samples.push(sample);
    print(`${sample.seconds} s: ${sent} messages, ${shown(sample.probed)}`);
    for (const { device } of devices) device.frames.length = 0;
  }
  isOver = true;
  await talking;
  const judged = samples.slice(Math.floor(samples.length * warmUpShare));
  for (const [name, { of, unit, perUnit }] of Object.entries(measures)) {
    print(`${name}: ${(slopePerHour(judged, of) / perUnit).toFixed(1)} ${unit} an hour`);
  }
  print(`resources ${JSON.stringify(samples.at(-1)?.probed.resources)}`);
} finally {
  const { code, output } = await server.stop("SIGTERM");
  const trouble = troubleIn(output);
  isFine = code === 0 && trouble.length === 0;
  print(`ended with ${code}; ${trouble.length} lines of trouble in the log ${trouble.slice(0, 5).join("\n")}`);
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = isFine ? 0 : 1;
