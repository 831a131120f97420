import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** The name of the file that proves that a folder is that of the files of this database; null before the first upload. */
export async function readMarker(database: Database): Promise<string | null> {
  const [row] = await select<{ marker: string | null }>(
    database,
    "SELECT files_marker AS marker FROM server_state LIMIT 1",
    {},
  );
  return row?.marker ?? null;
}

/** Sets the name, unless another process was faster. */
export async function setMarker(database: Database, marker: string): Promise<void> {
  await select(database, "UPDATE server_state SET files_marker = $marker WHERE files_marker IS NULL", { marker });
}

/** After a restore, whose files are in a new folder. */
export async function forgetMarker(database: Database): Promise<void> {
  await select(database, "UPDATE server_state SET files_marker = NULL", {});
}
