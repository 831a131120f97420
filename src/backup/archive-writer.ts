import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { ZipFile } from "yazl";
import type { Part } from "./manifest.ts";

/** The end of the comment of the archive is the SHA-256, in hexadecimal, of all bytes before it. */
export const digestLength = 64;
export const commentStart = "A backup of the messenger. SHA-256 of all bytes before: ";

/** Only the owner may read an archive. */
const mode = 0o600;

/** The end of the name of an archive that is being written. */
export const partialSuffix = ".partial";

/**
 * Writes a ZIP archive to a temporary file beside its path, which becomes the archive once it is complete and on the disk.
 * An archive that was there before is replaced then.
 */
export class ArchiveWriter {
  private readonly zip = new ZipFile();
  private readonly written: Promise<void>;
  private readonly failed: Promise<never>;

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {
    this.written = writeAll(this.zip.outputStream, file);
    this.failed = new Promise((_, reject) => {
      this.written.catch(reject);
      this.zip.once("error", reject);
    });
    this.failed.catch(() => {});
  }

  static async create(path: string): Promise<ArchiveWriter> {
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}${partialSuffix}`);
    return new ArchiveWriter(path, temporary, await open(temporary, "wx+", mode));
  }

  /** Adds a file of these chunks. Resolves when they are read. */
  async add(name: string, chunks: AsyncIterable<string | Buffer> | Iterable<string>): Promise<Part> {
    const hash = createHash("sha256");
    let bytes = 0;
    async function* counted() {
      for await (const text of chunks) {
        const chunk = typeof text === "string" ? Buffer.from(text) : text;
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    }
    const input = Readable.from(counted(), { objectMode: false });
    this.zip.addReadStream(input, name, { mode: 0o100_000 | mode });
    try {
      await Promise.race([finished(input), this.failed]);
    } finally {
      input.destroy();
    }
    return { name, bytes, sha256: hash.digest("hex") };
  }

  /** Completes the archive. @returns its size in bytes */
  async finish(): Promise<number> {
    this.zip.end({ comment: commentStart + "0".repeat(digestLength), forceZip64Format: false });
    await Promise.race([this.written, this.failed]);
    const { size } = await this.file.stat();
    const position = size - digestLength;
    await this.file.write(await digestOf(this.temporary, position), position);
    await this.file.sync();
    await this.file.close();
    await rename(this.temporary, this.path);
    await syncFolder(dirname(this.path));
    return size;
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(this.temporary, { force: true });
  }
}

async function writeAll(chunks: AsyncIterable<string | Buffer>, file: FileHandle): Promise<void> {
  for await (const chunk of chunks) await file.writeFile(chunk);
}

/** The SHA-256 of the first bytes of a file, in hexadecimal. */
export async function digestOf(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { end: bytes - 1 })) hash.update(chunk);
  return hash.digest("hex");
}

/** Makes a rename durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
