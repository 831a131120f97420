import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { mkdtemp, rm, rmdir, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const parent = join(tmpdir(), "messenger-disk-");

/** Whether this process may mount a disk, usually as root on Linux. */
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

/** A disk of limited size that tests can fill. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static async mount(megabytes: number): Promise<SmallDisk> {
    const folder = await mkdtemp(parent);
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
    return new SmallDisk(folder);
  }

  /** Fills the disk up to `freeBytes` free bytes. */
  async fill(freeBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    await writeFile(this.filler, Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
  }

  /** Frees the space again. */
  async clear(): Promise<void> {
    await truncate(this.filler);
    await rm(this.filler);
  }

  async unmount(): Promise<void> {
    await run("umount", ["-l", this.folder]);
    await rmdir(this.folder);
  }

  private get filler(): string {
    return join(this.folder, "filler");
  }
}
