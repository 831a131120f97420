import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { backupMark } from "../files/backup-mark.ts";
import type { IncomingFiles } from "../files/incoming-file.ts";
import type { FileStorage } from "../files/storage.ts";
import type { Archive } from "./archive-reader.ts";
import type { ArchiveWriter } from "./archive-writer.ts";
import type { FilePart } from "./manifest.ts";

/** How often a running backup says so, in milliseconds. */
const heartbeatMs = 5000;

/** Where files on disk are. */
export interface FilesOnDisk {
  storage: FileStorage;
  folder: string;
}

/**
 * Runs a backup while no file is deleted: what its snapshot of the database refers to stays, also if the message is deleted
 * meanwhile.
 */
export async function whileFilesStay<T>(files: FilesOnDisk | undefined, work: () => Promise<T>): Promise<T> {
  if (!files) return work();
  const { folder } = files;
  const mark = join(folder, backupMark);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(mark, "");
  const timer = setInterval(() => void utimes(mark, new Date(), new Date()).catch(() => {}), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await rm(mark, { force: true });
  }
}

/** Adds the objects of these files to an archive. Those that have none are left out; a check finds them. */
export async function addFiles(
  archive: ArchiveWriter,
  { storage }: FilesOnDisk,
  files: AsyncIterable<{ id: string }>,
): Promise<FilePart[]> {
  const parts: FilePart[] = [];
  for await (const { id } of files) {
    for await (const { key } of storage.list(id)) {
      const content = await storage.get(key);
      if (!content) continue;
      try {
        parts.push({ ...(await archive.add(`files/${key}`, content)), key });
      } finally {
        content.destroy();
      }
    }
  }
  return parts;
}

/** Where restored files are stored, each of them received into a temporary file first: they do not fit into memory. */
export interface RestoredFiles {
  storage: FileStorage;
  incoming: IncomingFiles;
}

/** Stores the files of an archive. @returns how many */
export async function restoreFiles(archive: Archive, { storage, incoming }: RestoredFiles): Promise<number> {
  const { files = [] } = archive.manifest;
  for (const part of files) {
    const received = await incoming.receive(archive.chunks(part), part.bytes);
    await storage.put(part.key, received).finally(() => incoming.remove(received));
  }
  return files.length;
}
