import { resolve } from "node:path";
import { backUpEmbedded } from "../../backup/embedded-backup.ts";
import { type BackupSummary, writeBackup } from "../../backup/write-backup.ts";
import { loadSettings } from "../../config/read-settings.ts";
import type { Config } from "../../config/settings.ts";
import { describeUrl } from "../../db/connection-url.ts";
import { reasonOf } from "../../db/database-errors.ts";
import { inspect } from "../../db/queries/inspection.ts";
import { AppError, StartError } from "../../errors.ts";
import { filesOnDisk } from "../../file-parts.ts";
import { findStoredSecret } from "../../services/accounts/tokens.ts";
import { version } from "../../version.ts";
import { askRunningServer } from "../ask-server.ts";
import { defineCommand } from "../command.ts";

export const backup = defineCommand({
  name: "backup",
  arguments: "<file>",
  summary:
    "Writes all data to one archive, while the server runs. An existing file is replaced once the archive is complete.",
  needs: "nothing",
  async run({ file }) {
    const config = loadSettings();
    const path = resolve(String(file));
    const { secret, server } = { secret: config.tokens.secret, server: config.server };
    const stored = secret === undefined ? await findStoredSecret(server.dataDir) : undefined;
    const summary = await write(config, { path, version, secret: stored }).catch((error) => {
      if (error instanceof AppError || error instanceof StartError) throw error;
      throw new AppError("internal", `The backup failed: ${reasonOf(error)}.`, { cause: error });
    });
    const { bytes, rows, tables, files } = summary;
    const bucket = config.files.url === undefined ? "" : "Uploaded files are in the bucket, not in it.\n";
    const about =
      stored === undefined
        ? "JWT_SECRET is not in it: keep a copy of that elsewhere, or all users have to log in again after a restore.\n"
        : "It contains the secret that signs tokens: anybody with the archive can act as any user.\n";
    return {
      text: `${path}: ${rows} rows of ${tables} tables, ${files} stored files, ${Math.ceil(bytes / 1024)} KiB.\n${bucket}${about}`,
      data: { ...summary, hasSecret: stored !== undefined },
    };
  },
});

async function write(
  config: Config,
  given: { path: string; version: string; secret: string | undefined },
): Promise<BackupSummary> {
  const {
    database: { url },
    server: { dataDir },
  } = config;
  const options = { ...given, files: await filesOnDisk(config) };
  if (url === undefined) {
    const copyData = async (folder: string) =>
      (await askRunningServer(dataDir, { command: "copy-data", input: { folder } })) !== undefined;
    return backUpEmbedded({ ...options, dataDir, copyData });
  }
  if ((await inspect(url)).isEmpty) {
    throw new StartError(`There is no messenger in the database ${describeUrl(url)}. Check DATABASE_URL.`);
  }
  return writeBackup({ ...options, url });
}
