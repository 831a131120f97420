/** The bytes at the beginning of a file from which its type is found. */
export const sniffedBytes = 64 * 1024;

/** The type of files of which nothing else is known. Browsers save them and never show them. */
export const anyMediaType = "application/octet-stream";

/** The types that browsers may show in a page. None of them can contain a script. */
const inlineTypes: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "video/mp4",
  "video/webm",
  "audio/mpeg",
  "audio/ogg",
  "video/ogg",
  "audio/wav",
]);

const synonyms: Readonly<Record<string, string>> = { "image/apng": "image/png", "audio/vnd.wave": "audio/wav" };

/** Finds the type of a file by its first bytes, whatever its name and its sender say. */
export async function sniffMediaType(start: Uint8Array): Promise<string> {
  // Loaded with the first file, to start faster.
  const { fileTypeFromBuffer } = await import("file-type/core");
  const found = await fileTypeFromBuffer(start).catch(() => undefined);
  const [type = anyMediaType] = found?.mime.split(";") ?? [];
  return synonyms[type] ?? type;
}

/** Whether browsers may show files of this type in a page. */
export const isInline = (mediaType: string): boolean => inlineTypes.has(mediaType);

/** Whether a thumbnail can be made of files of this type. */
export const isPicture = (mediaType: string): boolean => isInline(mediaType) && mediaType.startsWith("image/");
