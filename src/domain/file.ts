/** A file that a user has uploaded, as messages show it. */
export interface FileInfo {
  id: string;
  name: string;
  /** In bytes, as it is served. */
  size: number;
  /** Found by its content. */
  mediaType: string;
  /** In pixels; null where that is not known. */
  width: number | null;
  height: number | null;
  /** A tiny preview, in base64; null where there is none. */
  thumbHash: string | null;
}

/** `new`: its content has not been received, or not been scanned. `refused`: the scanner has found malware in it. */
export const fileStates = ["new", "ready", "refused"] as const;
export type FileState = (typeof fileStates)[number];

/** The most files of one message. */
export const filesOfMessageMax = 10;

/** What ids of files look like: UUIDs of version 7, in small letters. */
export const fileIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether a text can be the id of a file. */
export const isFileId = (text: string): boolean => fileIdPattern.test(text);
