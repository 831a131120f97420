import type { Database } from "../../db/connect.ts";
import { deleteRemoved, existingFiles, markSomeRemoved, postponeRemoval } from "../../db/queries/files/collect.ts";
import { isFileId } from "../../domain/file.ts";
import type { IncomingFiles } from "../../files/incoming-file.ts";
import type { FileStorage } from "../../files/storage.ts";
import { fileIdOf } from "./object-keys.ts";

const batchSize = 100;
const retrySeconds = 600;
/** Objects without a row that are younger may belong to an upload or a deletion in progress, in milliseconds. */
export const orphanAgeMs = 24 * 60 * 60_000;

/**
 * Deletes files that are in no message. A file is marked first, so that no message can take it; then its objects are deleted,
 * and last its row. Whatever a kill interrupts is done by the next run.
 */
export class FileCollection {
  constructor(
    private readonly options: {
      database: Database;
      storage: FileStorage;
      incoming: IncomingFiles;
      /** Whether a backup is running. */
      isPaused: (now: number) => Promise<boolean>;
      onCollected: (files: number) => void;
    },
  ) {}

  /** Deletes some files that are due. @param now in milliseconds since 1970 @returns whether there may be more */
  async collectSome(now: number): Promise<boolean> {
    const { database, isPaused, onCollected } = this.options;
    if (await isPaused(now)) return false;
    const ids = await markSomeRemoved(database, batchSize);
    let failure: unknown;
    for (const id of ids) {
      try {
        await this.deleteObjects(id);
        await deleteRemoved(database, id);
        onCollected(1);
      } catch (error) {
        failure = error;
        await postponeRemoval(database, id, retrySeconds);
      }
    }
    if (failure) throw failure;
    return ids.length === batchSize;
  }

  /** Deletes objects without a row and unfinished uploads, which only killed processes leave. @param now in milliseconds since 1970 */
  async removeOrphans(now: number): Promise<void> {
    const { storage, incoming, isPaused } = this.options;
    if (await isPaused(now)) return;
    await incoming.removeAbandoned(now);
    for await (const key of orphansIn(this.options, now - orphanAgeMs)) await storage.delete(key);
  }

  private async deleteObjects(id: string): Promise<void> {
    const { storage } = this.options;
    for await (const { key } of storage.list(id)) await storage.delete(key);
  }
}

/** The keys of the objects without a row that are older than a time, in milliseconds of the wall clock. */
export async function* orphansIn(
  { database, storage }: { database: Database; storage: FileStorage },
  olderThan: number,
): AsyncIterable<string> {
  let keys: string[] = [];
  const orphans = async () => {
    const existing = await existingFiles(database, [...new Set(keys.map(fileIdOf))]);
    return keys.filter((key) => !existing.has(fileIdOf(key)));
  };
  for await (const { key, modifiedAt } of storage.list()) {
    if (modifiedAt.getTime() < olderThan && isFileId(fileIdOf(key))) keys.push(key);
    if (keys.length < batchSize) continue;
    yield* await orphans();
    keys = [];
  }
  yield* await orphans();
}
