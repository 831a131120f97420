import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ProgramSettings } from "../../packages/client/test/support/simulated-device.ts";
import { applyEdit } from "./mutant-server.ts";
import type { Edit } from "./mutants.ts";

const source = fileURLToPath(new URL("../../packages/client/src", import.meta.url));

/** Copies the client SDK with a fault. */
export async function buildSdk(edits: readonly Edit[]): Promise<{
  createMessenger: NonNullable<ProgramSettings["createMessenger"]>;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-mutant-sdk-"));
  await cp(source, folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const edit of edits) {
    const path = join(folder, edit.in);
    await writeFile(path, applyEdit(edit, await readFile(path, "utf8")));
  }
  const sdk: typeof import("../../packages/client/src/index.ts") = await import(
    pathToFileURL(join(folder, "index.ts")).href
  );
  return {
    createMessenger: (options) => new sdk.Messenger(options),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
