import { readFileSync } from "node:fs";

// tsx bench/profile.ts FILE.cpuprofile: what the CPU time of a profile went into, by packages and by functions.

interface Node {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}

const mostListed = 40;
const print = (text: string) => process.stdout.write(`${text}\n`);

/** The package, or the folder of ours, that a file belongs to. */
function partOf(url: string): string {
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (installed?.[1]) return installed[1];
  if (url.startsWith("node:")) return url.split("/")[0]?.startsWith("node:internal") ? "node:internal" : url;
  return url === "" ? "V8 and native code" : url.replace(/.*\/dist\//, "ours: ");
}

function list(title: string, times: ReadonlyMap<string, number>, total: number): void {
  print(`| ${title} | % of the time not idle |\n| --- | --- |`);
  const largest = [...times].sort(([, a], [, b]) => b - a).slice(0, mostListed);
  for (const [what, time] of largest) print(`| ${what} | ${((time / total) * 100).toFixed(1)} |`);
  print("");
}

const profile = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const frames = new Map<number, Node["callFrame"]>(profile.nodes.map((node: Node) => [node.id, node.callFrame]));
const byPart = new Map<string, number>();
const byFunction = new Map<string, number>();
let total = 0;
for (const [index, id] of profile.samples.entries()) {
  const frame = frames.get(id);
  if (!frame || frame.functionName === "(idle)") continue;
  const time = profile.timeDeltas[index];
  const part = partOf(frame.url);
  const name = `${frame.functionName || "(anonymous)"}, ${frame.url ? `${part} ${frame.url.split("/").at(-1)}:${frame.lineNumber + 1}` : part}`;
  total += time;
  byPart.set(part, (byPart.get(part) ?? 0) + time);
  byFunction.set(name, (byFunction.get(name) ?? 0) + time);
}
list("part", byPart, total);
list("function", byFunction, total);
