import { readFileSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Json, LocalLocks, type Store, type Write } from "./store.ts";

/** Lines beyond which the file is written anew, if most of them are outdated. */
const minLines = 1000;

/**
 * Keeps everything in one file: for bots. Each write is a line of JSON that is on the disk when its promise resolves. Only
 * one store of one process may use the file; another one gets an error.
 */
export function file(path: string): Store {
  const locks = new LocalLocks();
  const lockPath = resolve(`${path}.lock`);
  let opened: Promise<Log> | undefined;
  const openOnce = () => {
    opened ??= openLog(path, lockPath);
    return opened;
  };
  const write = async (writes: readonly Write[]): Promise<void> => (await openOnce()).append(writes);
  return {
    get: async (key) => structuredClone((await openOnce()).values.get(key)),
    set: (key, value) => write([{ key, value }]),
    delete: (key) => write([{ key }]),
    async entries(prefix = "") {
      const found = [...(await openOnce()).values].filter(([key]) => key.startsWith(prefix));
      return structuredClone(found.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    batch: write,
    lock: (name, work) => locks.run(name, work),
    async close() {
      const log = await opened?.catch(() => undefined);
      opened = undefined;
      if (!log) return;
      await log.close();
      await rm(lockPath, { force: true });
      taken.delete(lockPath);
    },
  };
}

type Handle = Awaited<ReturnType<typeof open>>;

/** The lines of a file: each is a batch of writes. Of several writes of a key, the last one counts. */
class Log {
  private queue: { line: string; resolve(): void; reject(error: unknown): void }[] = [];
  private flushing: Promise<void> | undefined;
  /** A write has failed: the file may end with a part of a line. */
  private isTorn = false;

  constructor(
    private readonly path: string,
    private handle: Handle,
    readonly values: Map<string, Json>,
    private lines: number,
  ) {}

  append(writes: readonly Write[]): Promise<void> {
    const line = JSON.stringify(writes);
    return new Promise((resolve, reject) => {
      this.queue.push({ line, resolve, reject });
      this.flushing ??= this.flush().finally(() => {
        this.flushing = undefined;
      });
    });
  }

  async close(): Promise<void> {
    await this.flushing;
    await this.handle.close();
  }

  /** Writes what is waiting, all at once. */
  private async flush(): Promise<void> {
    while (this.queue.length > 0) {
      const { queue } = this;
      this.queue = [];
      const start = this.isTorn ? "\n" : "";
      this.isTorn = true;
      try {
        await this.handle.appendFile(start + queue.map(({ line }) => `${line}\n`).join(""));
        await this.handle.datasync();
        this.isTorn = false;
        for (const { line, resolve } of queue) {
          applyWrites(this.values, JSON.parse(line));
          resolve();
        }
        this.lines += queue.length;
        if (this.lines > minLines && this.lines > 4 * this.values.size) await this.compact();
      } catch (error) {
        for (const { reject } of queue) reject(error);
      }
    }
  }

  private async compact(): Promise<void> {
    await rewrite(this.path, this.values);
    await this.handle.close();
    this.handle = await open(this.path, "a", 0o600);
    this.lines = 1;
  }
}

async function openLog(path: string, lockPath: string): Promise<Log> {
  await mkdir(dirname(path), { recursive: true });
  await takeLock(lockPath);
  const values = new Map<string, Json>();
  const text = await readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n");
  for (const line of lines) {
    try {
      if (line) applyWrites(values, JSON.parse(line));
    } catch {
      // The process ended while it wrote its last line: its promise has not resolved.
    }
  }
  // So that a line is never appended to half a line.
  await rewrite(path, values);
  return new Log(path, await open(path, "a", 0o600), values, 1);
}

/** Replaces the file in one step. It holds tokens, so nobody else may read it. */
async function rewrite(path: string, values: ReadonlyMap<string, Json>): Promise<void> {
  const next = `${path}.new`;
  const writes: Write[] = [...values].map(([key, value]) => ({ key, value }));
  const handle = await open(next, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(writes)}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(next, path);
}

function applyWrites(values: Map<string, Json>, writes: readonly Write[]): void {
  for (const { key, value } of writes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}

/** The locks that this process has. */
const taken = new Set<string>();

/** @throws Error if another process, or another store of this one, uses the file */
async function takeLock(lockPath: string): Promise<void> {
  const content = `${process.pid} ${startOf(process.pid)}`;
  await writeFile(lockPath, content, { flag: "wx" }).catch(async (error) => {
    if (error.code !== "EEXIST") throw error;
    const owner = await readFile(lockPath, "utf8");
    const [pid = 0, start] = owner.split(" ");
    const isOwn = owner === content && !taken.has(lockPath);
    if (!isOwn && isRunning(Number(pid)) && startOf(Number(pid)) === start) {
      throw new Error(`${lockPath}: process ${pid} uses this store`);
    }
    await writeFile(lockPath, content);
  });
  taken.add(lockPath);
}

/** When a process has started, on Linux: ids are used again, in containers soon. Empty elsewhere and for a dead process. */
function startOf(pid: number): string {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (state !== "Z" && fields[18]) || "";
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
