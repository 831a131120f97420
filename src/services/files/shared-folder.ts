import { randomBytes } from "node:crypto";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../db/connect.ts";
import { readMarker, setMarker } from "../../db/queries/files/marker.ts";
import { AppError, StartError } from "../../errors.ts";
import { asStorageError } from "../../files/disk-storage.ts";
import type { StorageOutages } from "./storage-outages.ts";

/**
 * Makes sure that all processes on one database have the same folder of files: the first upload creates a file in it whose
 * name is stored in the database.
 */
export class SharedFolder {
  private isProven = false;

  /** @param options.folder undefined if files are in a bucket, which all processes share */
  constructor(private readonly options: { database: Database; folder: string | undefined; outages: StorageOutages }) {}

  /** @throws StartError if the files of the database are in another folder */
  async assertAtStart(): Promise<void> {
    const { database, folder } = this.options;
    if (folder === undefined) return;
    const marker = await readMarker(database);
    if (marker === null || (await exists(join(folder, marker)))) return;
    throw new StartError(
      `The uploaded files of this database are in another folder: ${join(folder, marker)} is missing. ` +
        "Processes that share a database must share DATA_DIR/files, or keep files in S3 (FILES_URL).",
    );
  }

  /**
   * Before an upload.
   * @throws AppError of kind "notConfigured" if another process has another folder, or "storageFull"
   */
  async prove(): Promise<void> {
    const { database, folder, outages } = this.options;
    if (this.isProven || folder === undefined) return;
    if ((await readMarker(database)) === null) {
      const marker = `files-of-${randomBytes(8).toString("hex")}`;
      await outages.writing(() => createMarker(folder, marker));
      await setMarker(database, marker);
    }
    const marker = await readMarker(database);
    if (marker === null || !(await exists(join(folder, marker)))) {
      throw new AppError(
        "notConfigured",
        "The processes of this server do not share the folder of files: its administrator has to set FILES_URL",
      );
    }
    this.isProven = true;
  }
}

async function createMarker(folder: string, name: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, name), "");
  } catch (error) {
    throw asStorageError(error);
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
