import { join } from "node:path";
import { DiskStorage } from "./disk-storage.ts";
import { parseS3Url, S3Storage } from "./s3-storage.ts";
import type { FileStorage } from "./storage.ts";

/** The folder of the files on disk, and of those that are being received. */
export const filesFolder = (dataDir: string): string => join(dataDir, "files");

/**
 * Opens the storage that `FILES_URL` names: a bucket, or without it the folder `files` in `DATA_DIR`.
 * @throws StartError if an optional package is missing
 */
export async function openStorage({
  url,
  dataDir,
}: {
  url: string | undefined;
  dataDir: string;
}): Promise<FileStorage> {
  return url === undefined ? new DiskStorage(filesFolder(dataDir)) : S3Storage.open(parseS3Url(url));
}
