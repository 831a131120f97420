import type { Config } from "./config/settings.ts";
import { Images } from "./files/images.ts";
import { IncomingFiles } from "./files/incoming-file.ts";
import { filesFolder, openStorage } from "./files/open-storage.ts";
import { ClamdScanner, CommandScanner, type Scanner } from "./files/scanner.ts";
import type { FileStorage } from "./files/storage.ts";
import type { FileParts } from "./services/files/compose-files.ts";

/**
 * Opens the storage of files and what is done with files, as the settings say.
 * @throws StartError if an optional package is missing that the settings need
 */
export async function openFileParts({ files, server }: Config): Promise<FileParts> {
  const { dataDir } = server;
  return {
    storage: await openStorage({ url: files.url, dataDir }),
    incoming: new IncomingFiles(filesFolder(dataDir)),
    folder: files.url === undefined ? filesFolder(dataDir) : undefined,
    images: await Images.open(),
    scanner: scannerOf(files),
    stripsMetadata: files.stripsMetadata,
    limits: {
      maxFileBytes: files.maxBytes,
      maxBytesPerUser: files.bytesPerUser,
      maxTotalBytes: files.totalBytes,
      unclaimedSeconds: files.unclaimedSeconds,
    },
    linkSeconds: files.linkSeconds,
    maxPerMessage: files.perMessage,
  };
}

/** Where the files are that belong into backups; undefined if they are in a bucket. */
export async function filesOnDisk({
  files,
  server,
}: Config): Promise<{ storage: FileStorage; folder: string } | undefined> {
  const { dataDir } = server;
  if (files.url !== undefined) return undefined;
  return { storage: await openStorage({ url: undefined, dataDir }), folder: filesFolder(dataDir) };
}

function scannerOf({ scanCommand, scanClamd }: Config["files"]): Scanner | undefined {
  if (scanClamd !== undefined) {
    const [host = "", port] = scanClamd.split(":");
    return new ClamdScanner({ host, port: Number(port) });
  }
  return scanCommand === undefined ? undefined : new CommandScanner(scanCommand);
}
