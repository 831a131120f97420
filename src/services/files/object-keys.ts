import type { ThumbnailSize } from "../../files/images.ts";

/*
 * The objects of a file lie under its id. Their names contain the digest of the uploaded content, so two uploads of one file
 * with different contents never overwrite each other.
 */

interface StoredContent {
  id: string;
  sha256: string;
}

const digestLength = 16;

/** The key of the content of a file. */
export const contentKey = ({ id, sha256 }: StoredContent): string => `${id}/${sha256.slice(0, digestLength)}`;

/** The key of a thumbnail. */
export const thumbnailKey = (file: StoredContent, size: ThumbnailSize): string => `${contentKey(file)}-${size}`;

/** The id of the file to which an object belongs. */
export const fileIdOf = (key: string): string => key.split("/")[0] ?? "";
