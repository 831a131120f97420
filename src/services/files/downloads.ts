import type { Readable } from "node:stream";
import type { Database } from "../../db/connect.ts";
import { readableFiles, type StoredFile } from "../../db/queries/files/files.ts";
import { noSuchFile } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { ThumbnailSize } from "../../files/images.ts";
import { anyMediaType, isInline } from "../../files/media-type.ts";
import type { ByteRange, FileStorage } from "../../files/storage.ts";
import type { Logger } from "../../logger.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { FileLinks, LinkHolder } from "./file-links.ts";
import { contentKey, thumbnailKey } from "./object-keys.ts";
import type { StorageOutages } from "./storage-outages.ts";

/** A file, or a thumbnail of it, that a user may read. */
export interface ReadableContent {
  key: string;
  name: string;
  /** In bytes; undefined for a thumbnail, which has no ranges. */
  size: number | undefined;
  mediaType: string;
  /** Whether browsers may show it; else they save it. */
  isInline: boolean;
  /** Identifies the content. */
  tag: string;
}

/** Lets users read the files of the messages that they see. */
export class Downloads {
  constructor(
    private readonly options: {
      database: Database;
      storage: FileStorage;
      links: FileLinks;
      outages: StorageOutages;
      rateLimits: RateLimits;
      log: Logger;
    },
  ) {}

  /** Makes links to files; those that the user may not read are left out. */
  async link(holder: LinkHolder, ids: readonly string[]): Promise<{ id: string; url: string; expiresAt: string }[]> {
    const files = await readableFiles(this.options.database, { ids: [...new Set(ids)], userId: holder.userId });
    return files.map(({ id }) => {
      const { link, expiresAt } = this.options.links.sign(id, holder);
      return { id, url: `/files/${id}?link=${link}`, expiresAt: expiresAt.toISOString() };
    });
  }

  /** The holder of a link; undefined if it is not valid for this file. Whether the session is active is not checked. */
  holderOf(fileId: string, link: string): LinkHolder | undefined {
    return this.options.links.verify(fileId, link);
  }

  /**
   * Returns what a user may read.
   * @throws AppError of kind "notFound" in every other case, or "notReady" for the user's own file without content
   */
  async find(userId: number, { id, size }: { id: string; size?: ThumbnailSize | undefined }): Promise<ReadableContent> {
    const { database, rateLimits } = this.options;
    await rateLimits.consume("downloadsPerUser", userId);
    const [file] = await readableFiles(database, { ids: [id], userId });
    if (!file) throw noSuchFile();
    const { sha256 } = file;
    if (file.state !== "ready" || sha256 === null) {
      throw new AppError("notReady", "The content of this file has not been received, or not been scanned", {
        retryAfterMs: 1000,
      });
    }
    return size === undefined ? contentOf({ ...file, sha256 }) : thumbnailOf({ ...file, sha256 }, size);
  }

  /** Opens what was found, or a range of it. @throws AppError of kind "notFound" if the object is lost, or "unavailable" */
  async open({ key }: ReadableContent, range?: ByteRange): Promise<Readable> {
    const { storage, outages, log } = this.options;
    const content = await outages.reading(() => storage.get(key, range));
    if (content) return content;
    log.error({ object: key }, "a file is missing in the storage");
    throw noSuchFile();
  }
}

type ReadyFile = StoredFile & { sha256: string };

function contentOf(file: ReadyFile): ReadableContent {
  const isShown = isInline(file.mediaType);
  return {
    key: contentKey(file),
    name: file.name,
    size: file.size,
    mediaType: isShown ? file.mediaType : anyMediaType,
    isInline: isShown,
    tag: file.sha256.slice(0, 32),
  };
}

function thumbnailOf(file: ReadyFile, size: ThumbnailSize): ReadableContent {
  // A picture without a preview could not be decoded, so it has no thumbnails.
  if (file.thumbHash === null) throw noSuchFile();
  return {
    key: thumbnailKey(file, size),
    name: `${file.name}.webp`,
    size: undefined,
    mediaType: "image/webp",
    isInline: true,
    tag: `${file.sha256.slice(0, 32)}-${size}`,
  };
}
