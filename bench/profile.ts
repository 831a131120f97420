import { readFileSync } from "node:fs";

// tsx bench/profile.ts FILE.cpuprofile: prints the CPU time of a profile by package and by function. "self" is the time
// in the function itself; "total" includes the functions it called, up to the next await.

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

interface CpuTime {
  self: number;
  total: number;
}

const maxListed = 40;
const print = (text: string) => process.stdout.write(`${text}\n`);

/** The package, or the messenger's file, that contains the code. */
function partOf(url: string): string {
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (installed?.[1]) return installed[1];
  if (url.startsWith("node:internal")) return "node:internal";
  return url === "" ? "V8 and native code" : url.replace(/.*\/dist\//, "messenger: ");
}

const nameOf = ({ functionName, url, lineNumber }: ProfileNode["callFrame"]): string =>
  `${functionName || "(anonymous)"}, ${partOf(url)}${url && ` ${url.split("/").at(-1)}:${lineNumber + 1}`}`;

function list(title: string, times: ReadonlyMap<string, CpuTime>, by: keyof CpuTime, total: number): void {
  print(`| ${title} | self % | total % |\n| --- | --- | --- |`);
  const percent = (time: number) => ((time / total) * 100).toFixed(1);
  const largest = [...times].sort(([, a], [, b]) => b[by] - a[by]).slice(0, maxListed);
  for (const [what, time] of largest) print(`| ${what} | ${percent(time.self)} | ${percent(time.total)} |`);
  print("");
}

const profile = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const nodes = new Map<number, ProfileNode>(profile.nodes.map((node: ProfileNode) => [node.id, node]));
const parents = new Map<number, number>();
for (const { id, children = [] } of nodes.values()) for (const child of children) parents.set(child, id);

const parts = new Map<string, CpuTime>();
const functions = new Map<string, CpuTime>();
function count(
  times: Map<string, CpuTime>,
  nameOfFrame: (node: ProfileNode) => string,
  id: number,
  time: number,
): void {
  const seen = new Set<string>();
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const node = nodes.get(at);
    if (!node || node.callFrame.functionName === "(root)") continue;
    const name = nameOfFrame(node);
    const entry = times.get(name) ?? { self: 0, total: 0 };
    times.set(name, entry);
    if (at === id) entry.self += time;
    if (!seen.has(name)) entry.total += time;
    seen.add(name);
  }
}

let total = 0;
for (const [index, id] of profile.samples.entries()) {
  if (nodes.get(id)?.callFrame.functionName === "(idle)") continue;
  const time = profile.timeDeltas[index];
  total += time;
  count(parts, ({ callFrame }) => partOf(callFrame.url), id, time);
  count(functions, ({ callFrame }) => nameOf(callFrame), id, time);
}
list("part", parts, "self", total);
list("function", functions, "self", total);
list("function", functions, "total", total);
