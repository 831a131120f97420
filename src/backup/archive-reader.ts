import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { AppError } from "../errors.ts";
import { commentStart, digestLength, digestOf } from "./archive-writer.ts";
import { formatName, formatVersion, type Manifest, manifestName, type Part } from "./manifest.ts";

/** What every ZIP archive with a file in it begins with. */
const zipStart = Buffer.from("PK\x03\x04", "latin1");

/** Larger than any manifest. */
const maxManifestBytes = 16 * 1024 * 1024;

/** An archive that cannot be used. The message is for the administrator. */
const unusable = (path: string, reason: string): AppError => new AppError("conflict", `${path} ${reason}`);

const damaged = "is damaged: its checksum is wrong. Use another backup.";
const incomplete = "is incomplete, or not a backup of the messenger. Use another backup.";
const foreign = "is not a backup of the messenger.";

/** A complete and undamaged archive. */
export class Archive {
  private constructor(
    readonly path: string,
    readonly manifest: Manifest,
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /**
   * Opens an archive after it has checked all its bytes and all its parts.
   * @throws AppError if this is no archive, or it is damaged, or of a format that this version does not know
   */
  static async open(path: string): Promise<Archive> {
    await checkDigest(path);
    const zip = await openPromise(path, { autoClose: false, lazyEntries: true });
    try {
      const entries = new Map<string, Entry>();
      for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
      const archive = new Archive(path, await readManifest(path, zip, entries.get(manifestName)), zip, entries);
      const { tables, files = [], secret } = archive.manifest;
      for (const part of tables) if ((await archive.check(part)) !== part.rows) throw unusable(path, damaged);
      for (const part of files) await archive.check(part);
      if (secret) await archive.check(secret);
      return archive;
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  /** The lines of a part, without their line breaks. */
  async *lines(part: Part): AsyncGenerator<string> {
    let rest: Buffer[] = [];
    for await (const chunk of this.chunks(part)) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        rest.push(chunk.subarray(start, end));
        yield Buffer.concat(rest).toString("utf8");
        rest = [];
        start = end + 1;
      }
      rest.push(chunk.subarray(start));
    }
    const last = Buffer.concat(rest).toString("utf8");
    if (last !== "") yield last;
  }

  close(): void {
    this.zip.close();
  }

  /** The bytes of a part. */
  async *chunks({ name }: Part): AsyncGenerator<Buffer> {
    const entry = this.entries.get(name);
    if (!entry) throw unusable(this.path, damaged);
    yield* await this.zip.openReadStreamPromise(entry);
  }

  /** Compares a part with the manifest. @returns the number of its line breaks */
  private async check(part: Part): Promise<number> {
    const hash = createHash("sha256");
    let lineBreaks = 0;
    for await (const chunk of this.chunks(part)) {
      hash.update(chunk);
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lineBreaks++;
    }
    if (hash.digest("hex") !== part.sha256) throw unusable(this.path, damaged);
    return lineBreaks;
  }
}

/** Compares all bytes with the digest at the end of the file. */
async function checkDigest(path: string): Promise<void> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw unusable(path, error.code === "ENOENT" ? "does not exist." : `cannot be read: ${error.message}`);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw unusable(path, "is not a file.");
    const { size } = stats;
    const start = (await file.read(Buffer.alloc(zipStart.length), 0, zipStart.length, 0)).buffer;
    if (!start.equals(zipStart)) throw unusable(path, foreign);
    const length = commentStart.length + digestLength;
    if (size < length) throw unusable(path, incomplete);
    const comment = (await file.read(Buffer.alloc(length), 0, length, size - length)).buffer.toString("latin1");
    if (!comment.startsWith(commentStart)) throw unusable(path, incomplete);
    if (comment !== commentStart + (await digestOf(path, size - digestLength))) throw unusable(path, damaged);
  } finally {
    await file.close();
  }
}

async function readManifest(path: string, zip: ZipFile, entry: Entry | undefined): Promise<Manifest> {
  if (!entry || entry.uncompressedSize > maxManifestBytes) throw unusable(path, foreign);
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
  const manifest: Manifest = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (manifest.format !== formatName) throw unusable(path, foreign);
  if (manifest.formatVersion > formatVersion) {
    throw unusable(
      path,
      `has format ${manifest.formatVersion}, and this version reads formats up to ${formatVersion}. ` +
        `Install the messenger ${manifest.messenger} that wrote it, or a newer one.`,
    );
  }
  return manifest;
}
