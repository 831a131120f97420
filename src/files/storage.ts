import type { Readable } from "node:stream";

/** What an object is made of: bytes, or a file on this machine, which may be moved away. */
export type ObjectSource = { bytes: Buffer } | { path: string; size: number };

/** A range of bytes, both ends included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** An object in a listing. */
export interface StoredObject {
  key: string;
  size: number;
  modifiedAt: Date;
}

/**
 * Keeps objects under keys of the form `owner/name`. An object is there completely or not at all, and stays after a crash of
 * the machine once `put` has resolved. An object never changes: another `put` under its key stores the same bytes.
 */
export interface FileStorage {
  /** For the log. */
  readonly description: string;
  /** Stores an object. A source that is a file may be moved, so it may be missing afterwards. */
  put(key: string, source: ObjectSource): Promise<void>;
  /** Opens an object, or a range within it; undefined if it does not exist. */
  get(key: string, range?: ByteRange): Promise<Readable | undefined>;
  /** Deletes an object, if it exists. */
  delete(key: string): Promise<void>;
  /** Lists all objects, or those of one owner, in no order. */
  list(owner?: string): AsyncIterable<StoredObject>;
}

/** The storage cannot be used now, for example because the server that keeps the objects does not answer. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

/** The storage has no space left. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
}

const keyPattern = /^[0-9a-z-]{1,64}\/[0-9a-z-]{1,80}$/;

/**
 * Splits a key into its owner and its name.
 * @throws Error for any other text, so that no key leaves the folder of the storage
 */
export function partsOfKey(key: string): { owner: string; name: string } {
  const [owner = "", name = ""] = key.split("/");
  if (!keyPattern.test(key)) throw new Error("invalid key of a stored object");
  return { owner, name };
}
