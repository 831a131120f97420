import { MessengerError } from "messenger-client";
import { errorText } from "../errors.ts";

/** What can be chosen. */
export const pictureTypes = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"] as const;

/** A file that is larger takes too much memory: only a small square of it is sent. */
const maxMebibytes = 20;

class PictureError extends Error {}

/** @throws PictureError */
export async function decodePicture(file: File): Promise<ImageBitmap> {
  if (file.size > maxMebibytes * 1024 * 1024)
    throw new PictureError(`This picture is too large: it can have at most ${maxMebibytes} MiB.`);
  return createImageBitmap(file).catch(() => {
    throw new PictureError("This file is not a picture that can be shown. Choose a PNG, JPEG, GIF, WebP or AVIF file.");
  });
}

/** Why a picture was not set or removed. */
export function pictureErrorText(error: unknown): string {
  if (error instanceof PictureError) return error.message;
  if (error instanceof MessengerError && error.code === "NOT_CONFIGURED")
    return "This server cannot convert pictures. Ask an administrator of it.";
  return errorText(error);
}
