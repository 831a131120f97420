import type { Database } from "../../db/connect.ts";
import { readyFiles } from "../../db/queries/files/collect.ts";
import type { FileStorage } from "../../files/storage.ts";
import { orphanAgeMs, orphansIn } from "./file-collection.ts";
import { contentKey } from "./object-keys.ts";

/** A file whose object is missing or has another size, or an object without a row. */
export type FileViolation =
  | { invariant: "file-has-object"; fileId: string; messageIds: number[]; size: number; storedSize: number | null }
  | { invariant: "object-has-file"; object: string };

/** Compares the files with the storage. @param now in milliseconds since 1970 */
export async function checkFiles(database: Database, storage: FileStorage, now: number): Promise<FileViolation[]> {
  const violations: FileViolation[] = [];
  for await (const file of readyFiles(database)) {
    const { id, size, messageIds } = file;
    let storedSize: number | null = null;
    for await (const object of storage.list(id)) if (object.key === contentKey(file)) storedSize = object.size;
    if (storedSize === size) continue;
    violations.push({ invariant: "file-has-object", fileId: id, messageIds, size, storedSize });
  }
  for await (const object of orphansIn({ database, storage }, now - orphanAgeMs)) {
    violations.push({ invariant: "object-has-file", object });
  }
  return violations;
}
