import type { Database } from "../../db/connect.ts";
import { isBackupRunning } from "../../files/backup-mark.ts";
import type { Images } from "../../files/images.ts";
import type { IncomingFiles } from "../../files/incoming-file.ts";
import type { Scanner } from "../../files/scanner.ts";
import type { FileStorage } from "../../files/storage.ts";
import type { Logger } from "../../logger.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { SigningSecrets } from "../accounts/tokens.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { Downloads } from "./downloads.ts";
import { FileCollection } from "./file-collection.ts";
import { FileLinks } from "./file-links.ts";
import { SharedFolder } from "./shared-folder.ts";
import { StorageOutages } from "./storage-outages.ts";
import { type FileLimits, Uploads } from "./uploads.ts";

/** Where files are kept, and what is done with them. */
export interface FileParts {
  storage: FileStorage;
  incoming: IncomingFiles;
  /** Of files on disk. */
  folder: string | undefined;
  /** Undefined if `sharp` is not installed. */
  images: Images | undefined;
  scanner: Scanner | undefined;
  stripsMetadata: boolean;
  limits: FileLimits;
  linkSeconds: number;
  /** The most files of one message. */
  maxPerMessage: number;
}

/** Builds the services of files. */
export function composeFiles(options: {
  database: Database;
  files: FileParts;
  secrets: SigningSecrets;
  rateLimits: RateLimits;
  metrics?: Metrics | undefined;
  log: Logger;
}) {
  const { database, files, secrets, rateLimits, metrics, log } = options;
  const { storage, incoming, folder, images, scanner, stripsMetadata, limits, linkSeconds } = files;
  const outages = new StorageOutages(log);
  const sharedFolder = new SharedFolder({ database, folder, outages });
  return {
    sharedFolder,
    uploads: new Uploads({
      database,
      storage,
      incoming,
      outages,
      sharedFolder,
      images,
      stripsMetadata,
      scanner,
      limits,
      rateLimits,
      metrics,
      log,
    }),
    downloads: new Downloads({
      database,
      storage,
      links: new FileLinks({ ...secrets, lifetimeSeconds: linkSeconds }),
      outages,
      rateLimits,
      log,
    }),
    fileCollection: new FileCollection({
      database,
      storage,
      incoming,
      isPaused: async (now) => folder !== undefined && isBackupRunning(folder, now),
      onCollected: (count) => metrics?.filesDeleted.add(count),
    }),
  };
}
