import { duration, group, integer, Unset } from "../setting.ts";

export const backupSettings = group(
  {
    title: "Backups",
    note: "Automatic backups are for the embedded database. With DATABASE_URL, run `messenger backup FILE` from a timer.",
  },
  {
    everyMs: duration(
      "BACKUP_EVERY",
      ["1m", "20d"],
      "24h",
      new Unset("no automatic backups"),
      "How often the embedded database is backed up to DATA_DIR/backups.",
    ),
    keep: integer("BACKUP_KEEP", [1, 10_000], 7, "How many of these backups are kept; the oldest others are removed."),
  },
);
