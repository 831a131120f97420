import { readdirSync, readFileSync } from "node:fs";

/** Linux measures CPU time in ticks of 10 ms. */
const msPerTick = 10;
const pageBytes = 4096;

interface Stat {
  parent: number;
  ownMs: number;
  /** Of exited children. */
  exitedChildrenMs: number;
}

/** Reads `/proc/PID/stat`; undefined for an exited process. The name may contain any character and ends at the last ")". */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const ticks = (first: number, second: number) => ((fields[first] ?? 0) + (fields[second] ?? 0)) * msPerTick;
    return { parent: fields[1] ?? 0, ownMs: ticks(11, 12), exitedChildrenMs: ticks(13, 14) };
  } catch {
    return undefined;
  }
}

/** CPU time of a process with all its threads, in milliseconds. */
export const cpuMs = (pid: number): number => readStat(pid)?.ownMs ?? 0;

/** CPU time of a process and its children, including exited ones, in milliseconds. */
export function treeCpuMs(pid: number): number {
  const own = readStat(pid);
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((child) => child?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.ownMs ?? 0), (own?.ownMs ?? 0) + (own?.exitedChildrenMs ?? 0));
}

/** Resident memory of a process, in bytes. */
export const residentBytes = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * pageBytes;
