import { randomBytes } from "node:crypto";
import sharp, { type Colour } from "sharp";

/** A picture of one colour, as PNG. */
export const plainPicture = (width: number, height: number, background: Colour): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();

/** A picture whose PNG has many bytes, so that its original and its thumbnails differ. */
export const noisyPicture = (): Promise<Buffer> =>
  sharp(randomBytes(900 * 600 * 3), { raw: { width: 900, height: 600, channels: 3 } })
    .png()
    .toBuffer();
