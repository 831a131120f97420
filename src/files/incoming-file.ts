import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Semaphore } from "../concurrency/semaphore.ts";
import { asStorageError, diskFull } from "./disk-storage.ts";
import { sniffedBytes } from "./media-type.ts";

/** Files that a killed process has left are removed when they have not been written for so long, in milliseconds. */
const abandonedAfterMs = 24 * 60 * 60_000;

/** Space that uploads leave on the disk, in bytes: the database may lie there, too. */
const keptFreeBytes = 64 * 1024 * 1024;

/**
 * How much of a file may wait to be written to the disk, in bytes. Without a limit the disk has to write many whole files at
 * once when uploads end together, and commits of the database, on the same disk, wait for them.
 */
const maxUnsyncedBytes = 4 * 1024 * 1024;

/** What arrived differs from what was announced: it was too short, too long or cut off. */
export class ContentMismatchError extends Error {
  override readonly name = "ContentMismatchError";
}

/** A file on this machine that was received completely. */
export interface ReceivedFile {
  path: string;
  size: number;
  /** In hexadecimal. */
  sha256: string;
  /** Its beginning, by which its type is found. */
  start: Buffer;
}

type Digest = Pick<ReceivedFile, "sha256" | "start">;

/** Receives contents into temporary files. */
export class IncomingFiles {
  private readonly folder: string;
  /** What is still to arrive of the contents that are being received. */
  private outstandingBytes = 0;
  /** Chunks are processed one at a time: many fast uploads would else delay every message. */
  private readonly slot = new Semaphore(1);

  constructor(filesFolder: string) {
    this.folder = join(filesFolder, "incoming");
  }

  /**
   * Receives a content of exactly `size` bytes, unless too little space would be left. If that fails, nothing is left.
   * @throws ContentMismatchError, StorageFullError, or the error of `content`
   */
  async receive(content: AsyncIterable<Buffer>, size: number): Promise<ReceivedFile> {
    let outstanding = 0;
    const expect = (bytes: number) => {
      outstanding += bytes;
      this.outstandingBytes += bytes;
    };
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail * bsize < this.outstandingBytes + size + keptFreeBytes) throw diskFull();
      expect(size);
      return await this.write(content, size, (bytes) => expect(-bytes));
    } catch (error) {
      throw asStorageError(error);
    } finally {
      expect(-outstanding);
    }
  }

  private async write(
    content: AsyncIterable<Buffer>,
    size: number,
    onWritten: (bytes: number) => void,
  ): Promise<ReceivedFile> {
    const path = join(this.folder, randomBytes(12).toString("hex"));
    const file = await open(path, "wx", 0o600);
    let unsyncedBytes = 0;
    try {
      const digest = await this.digest(content, size, async (chunk) => {
        // Not `write`, which writes only a part when the disk becomes full.
        await file.writeFile(chunk);
        unsyncedBytes += chunk.length;
        if (unsyncedBytes >= maxUnsyncedBytes) {
          await file.datasync();
          unsyncedBytes = 0;
        }
        onWritten(chunk.length);
      });
      await file.close();
      return { path, size, ...digest };
    } catch (error) {
      await file.close().catch(() => {});
      await rm(path, { force: true });
      throw error;
    }
  }

  /**
   * Reads a content of exactly `size` bytes.
   * @param use takes each chunk
   * @throws ContentMismatchError, or the error of `content` or `use`
   */
  async digest(
    content: AsyncIterable<Buffer>,
    size: number,
    use: (chunk: Buffer) => Promise<unknown> = async () => {},
  ): Promise<Digest> {
    const hash = createHash("sha256");
    const beginning: Buffer[] = [];
    let received = 0;
    for await (const chunk of content) {
      if (received < sniffedBytes) beginning.push(chunk);
      received += chunk.length;
      if (received > size) break;
      await this.slot.run(() => {
        hash.update(chunk);
        return use(chunk);
      });
    }
    if (received !== size) throw new ContentMismatchError(`received ${received} bytes instead of ${size}`);
    return { sha256: hash.digest("hex"), start: Buffer.concat(beginning).subarray(0, sniffedBytes) };
  }

  /** Removes a received file, unless it was moved away. */
  async remove({ path }: ReceivedFile): Promise<void> {
    await rm(path, { force: true });
  }

  /** Removes what killed processes have left. @param now in milliseconds of the wall clock */
  async removeAbandoned(now: number): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      const path = join(this.folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found && now - found.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
    }
  }
}
