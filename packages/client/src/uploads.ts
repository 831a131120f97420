import { MessengerError } from "./errors.ts";
import type { Http } from "./http.ts";
import type { MessageFile, PostFilesAnswer } from "./protocol.ts";
import type { Json, StorePart } from "./store.ts";

/** A file to send: in browsers a `File`, or a `Blob` with a name. */
export type FileToSend = Blob & { readonly name?: string };

/** A file of a message that is not sent yet, as it is stored. */
export interface UnsentFile {
  /** Names the content in the store. */
  key: string;
  name: string;
  size: number;
  mediaType: string;
  /** Once it is announced to the server. */
  fileId?: string;
}

/** A file of an unsent message as it is shown. */
export interface Upload extends Pick<UnsentFile, "name" | "size" | "mediaType"> {
  /** The bytes that were uploaded. */
  readonly sentBytes: number;
  /** Whether the store has the content: otherwise the upload ends with this page, and the file must be attached again. */
  readonly isStored: boolean;
}

const prefix = "files/";

/** The contents of files that are to be sent, and their uploads. */
export class Uploads {
  private readonly contents = new Map<string, Blob>();
  private readonly stored = new Set<string>();
  private readonly sent = new Map<string, number>();
  private readonly cancellers = new Map<string, AbortController>();

  constructor(private readonly options: { store: StorePart; http: Http; token(): Promise<string> }) {}

  /** Keeps the content of a file, in the store if that can. Never throws. */
  async keep({ key }: UnsentFile, content: Blob): Promise<void> {
    this.contents.set(key, content);
    const { store } = this.options;
    if (!store.keepsBlobs) return;
    // Some browsers refuse blobs, or have no space for them.
    await store.set(prefix + key, content as unknown as Json).then(
      () => this.stored.add(key),
      () => {},
    );
  }

  shown({ key, name, size, mediaType }: UnsentFile): Upload {
    const isStored = this.stored.has(key) || !this.contents.has(key);
    return { name, size, mediaType, sentBytes: this.sent.get(key) ?? 0, isStored };
  }

  /**
   * Uploads a file, and sets its `fileId`.
   * @param onProgress is called when it is announced, and while it is uploaded
   * @throws MessengerError `FILE_LOST` if neither this page nor the store has its content; `UNAVAILABLE` to try again
   */
  async upload(file: UnsentFile, onProgress: () => void): Promise<string> {
    const canceller = new AbortController();
    this.cancellers.set(file.key, canceller);
    const wasAnnounced = file.fileId !== undefined;
    try {
      return await this.uploadOnce(file, onProgress, canceller.signal);
    } catch (error) {
      if (!(error instanceof MessengerError)) throw error;
      // The server has deleted it: the next attempt announces it again.
      const isDeleted = wasAnnounced && error.code === "NOT_FOUND";
      if (isDeleted) delete file.fileId;
      if (!isDeleted && !isTransient(error)) throw error;
      throw new MessengerError("UNAVAILABLE", error.message, { retryAfterMs: error.retryAfterMs });
    } finally {
      this.cancellers.delete(file.key);
    }
  }

  /** Forgets the content of a file, and ends its upload. */
  remove({ key }: UnsentFile): void {
    this.cancellers.get(key)?.abort();
    this.contents.delete(key);
    this.stored.delete(key);
    this.sent.delete(key);
    if (this.options.store.keepsBlobs) void this.options.store.delete(prefix + key).catch(() => {});
  }

  private async uploadOnce(file: UnsentFile, onProgress: () => void, signal: AbortSignal): Promise<string> {
    const { http } = this.options;
    const { key, name, size, mediaType } = file;
    const content = await this.contentOf(key);
    if (file.fileId === undefined) {
      const body = { name, size, mediaType };
      const token = await this.options.token();
      file.fileId = (await http.request<PostFilesAnswer>("POST", "/files", { token, body })).fileId;
      onProgress();
    }
    const path = `/files/${file.fileId}/content`;
    await http.upload<{ file: MessageFile }>(path, content, {
      token: await this.options.token(),
      signal,
      onProgress: (sentBytes) => {
        this.sent.set(key, sentBytes);
        onProgress();
      },
    });
    this.sent.set(key, size);
    return file.fileId;
  }

  private async contentOf(key: string): Promise<Blob> {
    const { store } = this.options;
    const found = this.contents.get(key) ?? (store.keepsBlobs ? await store.get(prefix + key) : undefined);
    if (found instanceof Blob) return found;
    throw new MessengerError("FILE_LOST", "This device has not kept the file. Attach it again.");
  }
}

/** Whether the next attempt can succeed. */
const isTransient = ({ code, retryable }: MessengerError): boolean =>
  retryable || code === "NOT_READY" || code === "UPLOAD_MISMATCH" || code === "UNAUTHENTICATED";
