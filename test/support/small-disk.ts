import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { mkdtemp, rm, rmdir, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const parent = join(tmpdir(), "messenger-disk-");

/** Whether this process may mount a disk: as root on Linux, most often. */
export function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(parent);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    execFileSync("rmdir", [folder]);
  }
}

/** A disk of a certain size, that can be full. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static async mount(megabytes: number): Promise<SmallDisk> {
    const folder = await mkdtemp(parent);
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
    return new SmallDisk(folder);
  }

  /** Leaves so many bytes free. */
  async fill(leave: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    await writeFile(this.ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  }

  /** Gives the space back. */
  async clear(): Promise<void> {
    await truncate(this.ballast);
    await rm(this.ballast);
  }

  async unmount(): Promise<void> {
    await run("umount", ["-l", this.folder]);
    await rmdir(this.folder);
  }

  private get ballast(): string {
    return join(this.folder, "ballast");
  }
}
