import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest path of a Unix socket, in bytes: 104 on macOS and 108 on Linux, including the terminator. */
const maxSocketPathBytes = 103;
/** Longest name of a socket of the messenger, in bytes. */
const maxNameBytes = 16;

/** A path short enough for sockets in the folder: its own, or a symbolic link in the temporary folder. */
export async function shortPathTo(folder: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(folder) + 1 + maxNameBytes <= maxSocketPathBytes)
    return { path: folder, remove: async () => {} };
  const parent = await mkdtemp(join(tmpdir(), "messenger-"));
  const path = join(parent, "data");
  await symlink(folder, path);
  return { path, remove: () => rm(parent, { recursive: true, force: true }) };
}
