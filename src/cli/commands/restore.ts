import { resolve } from "node:path";
import { Archive } from "../../backup/archive-reader.ts";
import { type RestoreSummary, restoreBackup } from "../../backup/restore-backup.ts";
import { loadSettings } from "../../config/read-settings.ts";
import { reasonOf } from "../../db/database-errors.ts";
import { AppError, StartError } from "../../errors.ts";
import { IncomingFiles } from "../../files/incoming-file.ts";
import { filesFolder, openStorage } from "../../files/open-storage.ts";
import { createLogger } from "../../logger.ts";
import { replaceStoredSecret } from "../../services/accounts/tokens.ts";
import { defineCommand, textTable } from "../command.ts";
import { violationLines } from "./fsck.ts";

export const restore = defineCommand({
  name: "restore",
  arguments: "<file>",
  summary: "Restores an archive of `backup` into an empty database, on which no server runs.",
  options: [{ flags: "--end-sessions", description: "logs everybody out: for restores after a disaster or a theft" }],
  needs: "nothing",
  async run({ file, endSessions }) {
    const config = loadSettings();
    const { dataDir } = config.server;
    const path = resolve(String(file));
    const archive = await Archive.open(path);
    const isSecretSet = config.tokens.secret !== undefined;
    try {
      const summary = await restoreBackup({
        archive,
        restoredFiles: {
          storage: await openStorage({ url: config.files.url, dataDir }),
          incoming: new IncomingFiles(filesFolder(dataDir)),
        },
        databaseUrl: config.database.url,
        dataDir,
        endsSessions: endSessions === true,
        sessionLifetimeMs: config.tokens.refreshLifetimeMs,
        keepSecret: async (secret) => {
          if (!isSecretSet) await replaceStoredSecret(dataDir, secret);
        },
        log: createLogger({ level: "silent", readable: false }),
      });
      const notes = [
        secretNote({ isInArchive: archive.manifest.secret !== null, isSecretSet }),
        sessionNote(summary.sessions, endSessions === true),
      ];
      return {
        text: describe(path, summary) + notes.join(""),
        data: { path, createdAt: archive.manifest.createdAt, ...summary },
        hasFailed: summary.violations.length > 0,
      };
    } catch (error) {
      if (error instanceof AppError || error instanceof StartError) throw error;
      throw new AppError("internal", `The restore failed: ${reasonOf(error)}.`, { cause: error });
    } finally {
      archive.close();
    }
  },
});

function describe(path: string, { description, tables, files, unknown, violations }: RestoreSummary): string {
  const lines = [
    textTable(
      ["table", "rows"],
      tables.map(({ table, rows }) => [table, rows]),
    ),
    `${path} is restored: ${description}, and ${files} stored files.\n`,
    unknown.length > 0 ? `Not restored, because they are no tables of the messenger: ${unknown.join(", ")}.\n` : "",
    ...violationLines(violations),
    violations.length > 0 ? `fsck has found ${violations.length} violations.\n` : "fsck has found no violations.\n",
  ];
  return lines.join("");
}

function secretNote({ isInArchive, isSecretSet }: { isInArchive: boolean; isSecretSet: boolean }): string {
  if (isInArchive && isSecretSet) return "JWT_SECRET is set, so the secret in the archive is not used.\n";
  if (isInArchive) return "The secret that signs tokens is restored, too.\n";
  return "The archive contains no JWT_SECRET: set the same one as before, or all users have to log in again.\n";
}

function sessionNote({ active, ended }: RestoreSummary["sessions"], endsSessions: boolean): string {
  if (endsSessions) return `All sessions have ended: ${ended}.\n`;
  return active === 0
    ? ""
    : `Sessions that are valid again: ${active}. To end them all, restore with --end-sessions.\n`;
}
