import { constants, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

// Plain JavaScript, because the worker thread of the embedded database uses it.

/**
 * Copies a folder to one that does not exist. Where the file system can, the copy shares the blocks of the original. In one
 * go, which is several times faster than `fs.cp` for the thousand files of a database: nothing else may run in this thread
 * meanwhile.
 * @param {string} from
 * @param {string} to
 */
export function copyFolder(from, to) {
  mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyFolder(source, target);
    else copyFileSync(source, target, constants.COPYFILE_FICLONE);
  }
}
