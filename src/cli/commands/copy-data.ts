import { copyIfSpace } from "../../backup/embedded-backup.ts";
import { AppError } from "../../errors.ts";
import { defineCommand } from "../command.ts";

/** How `backup` has the running server copy the files of its embedded database. Not for administrators. */
export const copyDataCommand = defineCommand({
  name: "copy-data",
  arguments: "<folder>",
  summary: "Copies the files of the embedded database while requests wait.",
  needs: "database",
  async run({ config, copyData }, { folder }) {
    if (!copyData) throw new AppError("conflict", "Only a running server can copy its database");
    await copyIfSpace(config.server.dataDir, copyData, String(folder));
    return { text: "", data: {} };
  },
});
