import { readdirSync, readFileSync } from "node:fs";

/** Linux counts the time of processes in hundredths of a second. */
const msPerTick = 10;
const pageBytes = 4096;

interface Stat {
  parent: number;
  ownMs: number;
  /** Of children that ended. */
  endedMs: number;
}

/** `/proc/PID/stat`; undefined for a process that has ended. The name, which may hold anything, ends with the last ")". */
function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const ticks = (first: number, second: number) => ((fields[first] ?? 0) + (fields[second] ?? 0)) * msPerTick;
    return { parent: fields[1] ?? 0, ownMs: ticks(11, 12), endedMs: ticks(13, 14) };
  } catch {
    return undefined;
  }
}

/** CPU time that a process with all its threads has used, in milliseconds. */
export const cpuMs = (pid: number): number => stat(pid)?.ownMs ?? 0;

/** The same of a process and all its children, those too that have ended. */
export function familyCpuMs(pid: number): number {
  const own = stat(pid);
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((child) => child?.parent === pid);
  return children.reduce((sum, child) => sum + (child?.ownMs ?? 0), (own?.ownMs ?? 0) + (own?.endedMs ?? 0));
}

/** Memory of a process that is in RAM, in bytes. */
export const residentBytes = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * pageBytes;
