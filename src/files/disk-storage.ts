import { createHash, randomBytes } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type ByteRange,
  type FileStorage,
  type ObjectSource,
  partsOfKey,
  StorageFullError,
  type StoredObject,
} from "./storage.ts";

const mode = 0o600;
const folderMode = 0o700;

/** Objects as files in a folder: `objects/SHARD/OWNER/NAME`, where the shard keeps folders small. */
export class DiskStorage implements FileStorage {
  readonly description: string;
  private readonly objects: string;
  private readonly incoming: string;

  constructor(folder: string) {
    this.description = `files in ${folder}`;
    this.objects = join(folder, "objects");
    this.incoming = join(folder, "incoming");
  }

  async put(key: string, source: ObjectSource): Promise<void> {
    const path = this.pathOf(key);
    try {
      await makeFolders(dirname(path), this.objects);
      await this.move(source, path);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  async get(key: string, range?: ByteRange): Promise<Readable | undefined> {
    try {
      const file = await open(this.pathOf(key), "r");
      // The stream closes the file.
      return file.createReadStream(range);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.pathOf(key);
    await rm(path, { force: true });
    // Not empty, or not there: there is nothing to remove.
    await rmdir(dirname(path)).catch(() => {});
  }

  async *list(owner?: string): AsyncIterable<StoredObject> {
    if (owner !== undefined) {
      yield* this.listOwner(shardOf(owner), owner);
      return;
    }
    for (const shard of await entriesOf(this.objects)) {
      for (const { name } of await entriesOf(join(this.objects, shard.name))) yield* this.listOwner(shard.name, name);
    }
  }

  private async *listOwner(shard: string, owner: string): AsyncIterable<StoredObject> {
    const folder = join(this.objects, shard, owner);
    for (const entry of await entriesOf(folder)) {
      const found = entry.isFile() ? await stat(join(folder, entry.name)).catch(ignoreMissing) : undefined;
      if (found) yield { key: `${owner}/${entry.name}`, size: found.size, modifiedAt: found.mtime };
    }
  }

  /** Writes to a temporary file that becomes the object once it is on the disk. */
  private async move(source: ObjectSource, path: string): Promise<void> {
    await makeFolders(this.incoming, this.incoming);
    const temporary = join(this.incoming, randomBytes(12).toString("hex"));
    try {
      if ("bytes" in source) await writeNew(temporary, (file) => file.writeFile(source.bytes));
      else await rename(source.path, temporary).catch((error) => copyFrom(source.path, temporary, error));
      await sync(temporary);
      await rename(temporary, path);
      await sync(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  private pathOf(key: string): string {
    const { owner, name } = partsOfKey(key);
    return join(this.objects, shardOf(owner), owner, name);
  }
}

const shardOf = (owner: string): string => createHash("sha256").update(owner).digest("hex").slice(0, 2);

/** Copies a file of another file system, which cannot be moved. */
async function copyFrom(source: string, path: string, error: NodeJS.ErrnoException): Promise<void> {
  if (error.code !== "EXDEV") throw error;
  await writeNew(path, (file) => pipeline(createReadStream(source), file.createWriteStream({ autoClose: false })));
}

async function writeNew(path: string, write: (file: Awaited<ReturnType<typeof open>>) => Promise<unknown>) {
  const file = await open(path, "wx", mode);
  try {
    await write(file);
  } finally {
    await file.close();
  }
}

/** Creates a folder and those above it, and makes their names durable. */
async function makeFolders(path: string, root: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    await sync(folder);
    if (folder.length < root.length || folder === dirname(first)) return;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";

/** The error of a disk that is full. */
export const diskFull = (cause?: unknown) => new StorageFullError("the disk of the files is full", { cause });

/**
 * The error to throw when a file could not be written: StorageFullError if the disk, or the quota of its user, is full, else
 * the error itself.
 */
export const asStorageError = (error: unknown): unknown =>
  codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT" ? diskFull(error) : error;

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

/** The entries of a folder; none if it does not exist (any more). */
async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
}
