import type { Database } from "../../db/connect.ts";
import { firstFileId, readyFilesAfter } from "../../db/queries/files/collect.ts";
import type { FileStorage } from "../../files/storage.ts";
import { orphansIn } from "./file-collection.ts";
import { contentKey } from "./object-keys.ts";

const pageSize = 500;
/** Younger objects may belong to an upload or a deletion in progress. */
const orphanAgeMs = 24 * 60 * 60_000;

/** A file whose object is missing or has another size, or an object without a row. */
export type FileViolation =
  | { invariant: "file-has-object"; fileId: string; messageIds: number[]; size: number; storedSize: number | null }
  | { invariant: "object-has-file"; object: string };

/** Compares the files with the storage. @param now in milliseconds since 1970 */
export async function checkFiles(database: Database, storage: FileStorage, now: number): Promise<FileViolation[]> {
  const violations: FileViolation[] = [];
  for (let afterId = firstFileId; ; ) {
    const page = await readyFilesAfter(database, { afterId, limit: pageSize });
    for (const file of page) {
      const { id, size, messageIds } = file;
      let storedSize: number | null = null;
      for await (const object of storage.list(id)) if (object.key === contentKey(file)) storedSize = object.size;
      if (storedSize === size) continue;
      violations.push({ invariant: "file-has-object", fileId: id, messageIds, size, storedSize });
    }
    if (page.length < pageSize) break;
    afterId = page.at(-1)?.id ?? afterId;
  }
  for await (const object of orphansIn({ database, storage }, now - orphanAgeMs)) {
    violations.push({ invariant: "object-has-file", object });
  }
  return violations;
}
