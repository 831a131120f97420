import type { Database } from "../../db/connect.ts";
import { lockAccountForChange } from "../../db/queries/accounts/account-locks.ts";
import {
  declaredBytes,
  fileOfOwner,
  insertFile,
  markReady,
  markRefused,
  type StoredFile,
} from "../../db/queries/files/files.ts";
import type { FileInfo } from "../../domain/file.ts";
import { noSuchFile } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { Images, Picture } from "../../files/images.ts";
import { ContentMismatchError, type IncomingFiles, type ReceivedFile } from "../../files/incoming-file.ts";
import { anyMediaType, isPicture, sniffMediaType } from "../../files/media-type.ts";
import type { Scanner } from "../../files/scanner.ts";
import type { FileStorage } from "../../files/storage.ts";
import { type FailureLog, type Logger, logFailures } from "../../logger.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { notLoggedIn } from "../accounts/tokens.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { cleanFileName } from "./file-name.ts";
import { contentKey, thumbnailKey } from "./object-keys.ts";
import type { SharedFolder } from "./shared-folder.ts";
import type { StorageOutages } from "./storage-outages.ts";
import { newUuid } from "./uuid.ts";

/** Uploads of one user at a time, in one process. */
const maxUploadsPerUser = 3;
const retryAfterMs = 1000;

export interface FileLimits {
  maxFileBytes: number;
  maxBytesPerUser: number;
  /** Undefined if there is no limit. */
  maxTotalBytes: number | undefined;
  /** How long a file is kept that is in no message. */
  unclaimedSeconds: number;
}

/** Receives files. */
export class Uploads {
  /** The files that are being received, by their owners. */
  private readonly running = new Map<number, Set<string>>();
  private readonly scanFailures: FailureLog;

  constructor(
    private readonly options: {
      database: Database;
      storage: FileStorage;
      incoming: IncomingFiles;
      outages: StorageOutages;
      sharedFolder: SharedFolder;
      /** Undefined if `sharp` is not installed. */
      images: Images | undefined;
      stripsMetadata: boolean;
      scanner: Scanner | undefined;
      limits: FileLimits;
      rateLimits: RateLimits;
      metrics?: Pick<Metrics, "fileUploads" | "fileUploadBytes"> | undefined;
      log: Logger;
    },
  ) {
    this.scanFailures = logFailures(options.log, {
      warning: "files cannot be scanned for malware",
      recovery: "files are scanned for malware again",
      isLogged: () => true,
    });
  }

  /**
   * Announces a file.
   * @throws AppError of kind "tooLarge", "quota", "rateLimited", "notConfigured" or "storageFull"
   */
  async create(
    ownerId: number,
    file: { name: string; size: number },
  ): Promise<{ fileId: string; uploadUrl: string; expiresAt: string }> {
    const { database, limits, rateLimits, sharedFolder } = this.options;
    const { maxFileBytes, maxBytesPerUser, maxTotalBytes, unclaimedSeconds } = limits;
    const { size } = file;
    if (size > maxFileBytes) throw new AppError("tooLarge", `A file may have at most ${maxFileBytes} bytes`);
    await rateLimits.consume("uploadsPerUser", ownerId);
    await sharedFolder.prove();
    const id = newUuid();
    const expiresAt = await database.transaction(async (transaction) => {
      // Quotas are checked one upload after the other.
      if (!(await lockAccountForChange(database, ownerId, transaction))) throw notLoggedIn(ownerId);
      if ((await declaredBytes(database, ownerId, transaction)) + size > maxBytesPerUser) {
        throw new AppError("quota", `Your files may have at most ${maxBytesPerUser} bytes together`);
      }
      if (
        maxTotalBytes !== undefined &&
        (await declaredBytes(database, undefined, transaction)) + size > maxTotalBytes
      ) {
        throw new AppError("quota", "This server accepts no more files: its quota is used up");
      }
      const name = cleanFileName(file.name);
      return insertFile(database, { id, ownerId, name, size, mediaType: anyMediaType, unclaimedSeconds }, transaction);
    });
    return { fileId: id, uploadUrl: `/files/${id}/content`, expiresAt: expiresAt.toISOString() };
  }

  /**
   * Returns the file of a user that is to be uploaded, or was.
   * @throws AppError of kind "notFound" if there is no such file of this user
   */
  async find(ownerId: number, id: string): Promise<StoredFile> {
    const file = await fileOfOwner(this.options.database, { id, ownerId });
    if (!file) throw noSuchFile();
    return file;
  }

  /**
   * Receives the content of a file. Repeated with the same bytes, it succeeds again.
   * @throws AppError of kind "uploadMismatch", "conflict", "notReady", "rateLimited", "storageFull" or "unavailable", or the
   *   error of `content`. Nothing is kept then
   */
  async receive(file: StoredFile, content: AsyncIterable<Buffer>): Promise<FileInfo> {
    const { ownerId, id } = file;
    const running = this.running.get(ownerId) ?? new Set();
    if (running.has(id)) throw new AppError("notReady", "This file is being received already", { retryAfterMs });
    if (running.size >= maxUploadsPerUser) {
      throw new AppError("rateLimited", `At most ${maxUploadsPerUser} uploads at once`, { retryAfterMs });
    }
    this.running.set(ownerId, running.add(id));
    try {
      return await this.receiveOne(file, content);
    } catch (error) {
      this.options.metrics?.fileUploads.add("failed");
      if (error instanceof ContentMismatchError) throw mismatch();
      throw error;
    } finally {
      running.delete(id);
      if (running.size === 0) this.running.delete(ownerId);
    }
  }

  private async receiveOne(file: StoredFile, content: AsyncIterable<Buffer>): Promise<FileInfo> {
    if (file.state === "refused") throw refused();
    if (file.state === "ready") return this.compare(file, content);
    return this.options.outages.writing(() => this.receiveNew(file, content));
  }

  private async receiveNew(file: StoredFile, content: AsyncIterable<Buffer>): Promise<FileInfo> {
    const { incoming, metrics } = this.options;
    const received = await incoming.receive(content, file.declaredSize);
    try {
      const info = await this.store(file, received);
      metrics?.fileUploads.add("received");
      metrics?.fileUploadBytes.add(received.size);
      return info;
    } finally {
      await incoming.remove(received);
    }
  }

  /** For a repeated upload: it may only repeat the same bytes. */
  private async compare(file: StoredFile, content: AsyncIterable<Buffer>): Promise<FileInfo> {
    const { sha256 } = await this.options.incoming.digest(content, file.declaredSize);
    if (sha256 !== file.sha256) throw otherContent();
    return infoOf(file);
  }

  private async store(file: StoredFile, received: ReceivedFile): Promise<FileInfo> {
    const { database, storage } = this.options;
    const { id } = file;
    const { sha256 } = received;
    await this.scan(file, received);
    const mediaType = await sniffMediaType(received.start);
    const picture = isPicture(mediaType) ? await this.readPicture(received) : undefined;
    const key = contentKey({ id, sha256 });
    for (const [size, bytes] of picture?.thumbnails ?? []) {
      await storage.put(thumbnailKey({ id, sha256 }, size), { bytes });
    }
    await storage.put(key, picture?.stripped ? { bytes: picture.stripped } : received);
    const isReady = await markReady(database, id, {
      sha256,
      mediaType,
      storedSize: picture?.stripped?.length ?? received.size,
      width: picture?.width ?? null,
      height: picture?.height ?? null,
      thumbHash: picture?.thumbHash ?? null,
    });
    const current = await fileOfOwner(database, { id, ownerId: file.ownerId });
    if (!isReady && current?.sha256 !== sha256) {
      // Another upload was faster, or the file is being deleted: a job deletes the objects with it.
      await storage.delete(key);
      throw current ? otherContent() : noSuchFile();
    }
    if (!current) throw noSuchFile();
    return infoOf(current);
  }

  private async readPicture({ path }: ReceivedFile): Promise<Picture | undefined> {
    const { images, stripsMetadata } = this.options;
    return images?.read(path, { stripsMetadata });
  }

  private async scan({ id }: StoredFile, { path }: ReceivedFile): Promise<void> {
    const { scanner, database } = this.options;
    if (!scanner) return;
    const isClean = await scanner.isClean(path).catch((cause) => {
      this.scanFailures.failed(cause);
      throw new AppError("unavailable", "The file cannot be scanned for malware now. Try again.", {
        retryAfterMs: 10_000,
        cause,
      });
    });
    this.scanFailures.succeeded();
    if (isClean) return;
    await markRefused(database, id);
    throw refused();
  }
}

const mismatch = () =>
  new AppError("uploadMismatch", "The content does not have the announced size, or was cut off; nothing was kept");
const otherContent = () => new AppError("conflict", "This file was uploaded with other content");
const refused = () => new AppError("conflict", "The scanner has found malware in this file");

/** A file as messages show it. */
export const infoOf = ({ id, name, size, mediaType, width, height, thumbHash }: FileInfo): FileInfo => ({
  id,
  name,
  size,
  mediaType,
  width,
  height,
  thumbHash,
});
