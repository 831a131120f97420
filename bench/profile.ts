import { readFileSync } from "node:fs";

// tsx bench/profile.ts FILE.cpuprofile: what the CPU time of a profile went into, by packages and by functions. "itself"
// is time in the function, "with callees" also what it called, up to the next await.

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

interface Share {
  itself: number;
  withCallees: number;
}

const mostListed = 40;
const print = (text: string) => process.stdout.write(`${text}\n`);

/** The package, or the file of ours, that a piece of code belongs to. */
function partOf(url: string): string {
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (installed?.[1]) return installed[1];
  if (url.startsWith("node:internal")) return "node:internal";
  return url === "" ? "V8 and native code" : url.replace(/.*\/dist\//, "ours: ");
}

const nameOf = ({ functionName, url, lineNumber }: ProfileNode["callFrame"]): string =>
  `${functionName || "(anonymous)"}, ${partOf(url)}${url && ` ${url.split("/").at(-1)}:${lineNumber + 1}`}`;

function list(title: string, shares: ReadonlyMap<string, Share>, by: keyof Share, total: number): void {
  print(`| ${title} | itself % | with callees % |\n| --- | --- | --- |`);
  const percent = (time: number) => ((time / total) * 100).toFixed(1);
  const largest = [...shares].sort(([, a], [, b]) => b[by] - a[by]).slice(0, mostListed);
  for (const [what, share] of largest) print(`| ${what} | ${percent(share.itself)} | ${percent(share.withCallees)} |`);
  print("");
}

const profile = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const nodes = new Map<number, ProfileNode>(profile.nodes.map((node: ProfileNode) => [node.id, node]));
const parents = new Map<number, number>();
for (const { id, children = [] } of nodes.values()) for (const child of children) parents.set(child, id);

const parts = new Map<string, Share>();
const functions = new Map<string, Share>();
function count(shares: Map<string, Share>, nameOfFrame: (node: ProfileNode) => string, id: number, time: number): void {
  const seen = new Set<string>();
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const node = nodes.get(at);
    if (!node || node.callFrame.functionName === "(root)") continue;
    const name = nameOfFrame(node);
    const share = shares.get(name) ?? { itself: 0, withCallees: 0 };
    shares.set(name, share);
    if (at === id) share.itself += time;
    if (!seen.has(name)) share.withCallees += time;
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
list("part", parts, "itself", total);
list("function", functions, "itself", total);
list("function", functions, "withCallees", total);
