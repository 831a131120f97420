import { rgbaToThumbHash } from "thumbhash";
import { Semaphore } from "../concurrency/semaphore.ts";

type Sharp = typeof import("sharp")["default"];

/** Larger pictures have no thumbnail: decoding them takes too much memory. */
const maxPixels = 100_000_000;
const timeoutSeconds = 5;
/** A ThumbHash is made of at most 100 pixels a side. */
const thumbHashSide = 100;
const thumbnailQuality = 80;
/** Of a JPEG that is written anew without its metadata. */
const jpegQuality = 92;

/** The widths and heights that thumbnails fit into. */
export const thumbnailSizes = [320, 640] as const;
export type ThumbnailSize = (typeof thumbnailSizes)[number];

/** What is known of a picture, as it is shown: its orientation is applied. */
export interface Picture {
  width: number;
  height: number;
  thumbHash: Buffer;
  /** WebP, never larger than the picture. */
  thumbnails: ReadonlyMap<ThumbnailSize, Buffer>;
  /** The picture without its metadata, where it was asked for and had some; otherwise it stays as it is. */
  stripped: Buffer | undefined;
}

/** Reads and scales pictures, one at a time. */
export class Images {
  private readonly queue = new Semaphore(1);

  private constructor(private readonly sharp: Sharp) {}

  /** @returns undefined if the optional package `sharp` is not installed */
  static async open(): Promise<Images | undefined> {
    const module = await import("sharp").catch(() => undefined);
    if (!module) return undefined;
    const { default: sharp } = module;
    sharp.cache(false);
    sharp.concurrency(1);
    return new Images(sharp);
  }

  /**
   * Reads a picture. Metadata, such as the place where it was taken, is in none of the thumbnails.
   * @param options.stripsMetadata whether a JPEG with metadata is written anew without it
   * @returns undefined for pictures that are damaged, or too large to decode
   */
  read(path: string, options: { stripsMetadata: boolean }): Promise<Picture | undefined> {
    return this.queue.run(async () => {
      try {
        return await this.decode(path, options.stripsMetadata);
      } catch {
        return undefined;
      }
    });
  }

  /**
   * Cuts the largest square out of the middle of a picture and scales it, as WebP.
   * @returns undefined for bytes that are no picture, or one that is too large to decode
   */
  square(source: Buffer, side: number): Promise<Buffer | undefined> {
    return this.queue.run(async () => {
      try {
        return await this.load(source)
          .resize(side, side, { fit: "cover" })
          .webp({ quality: thumbnailQuality })
          .toBuffer();
      } catch {
        return undefined;
      }
    });
  }

  private async decode(path: string, stripsMetadata: boolean): Promise<Picture> {
    const { format, exif, xmp, iptc, autoOrient } = await this.load(path).metadata();
    const thumbnails = new Map<ThumbnailSize, Buffer>();
    for (const size of thumbnailSizes) thumbnails.set(size, await this.thumbnail(path, size));
    const hasMetadata = exif !== undefined || xmp !== undefined || iptc !== undefined;
    const stripped =
      stripsMetadata && format === "jpeg" && hasMetadata
        ? await this.load(path).keepIccProfile().jpeg({ quality: jpegQuality, chromaSubsampling: "4:4:4" }).toBuffer()
        : undefined;
    const { width, height } = autoOrient;
    return { width, height, thumbHash: await this.thumbHash(path), thumbnails, stripped };
  }

  private thumbnail(path: string, size: ThumbnailSize): Promise<Buffer> {
    return this.load(path)
      .resize(size, size, { fit: "inside", withoutEnlargement: true })
      .webp({ quality: thumbnailQuality })
      .toBuffer();
  }

  private async thumbHash(path: string): Promise<Buffer> {
    const { data, info } = await this.load(path)
      .resize(thumbHashSide, thumbHashSide, { fit: "inside", withoutEnlargement: true })
      .ensureAlpha()
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    return Buffer.from(rgbaToThumbHash(info.width, info.height, data));
  }

  /** Orientation is applied, and metadata is dropped, as sharp does unless it is asked to keep it. */
  private load(source: string | Buffer) {
    return this.sharp(source, { limitInputPixels: maxPixels, failOn: "error", sequentialRead: true })
      .timeout({ seconds: timeoutSeconds })
      .autoOrient();
  }
}
