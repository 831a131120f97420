import { findViolations, type Violation } from "../../db/queries/fsck/fsck.ts";
import { type Repairs, repair } from "../../db/queries/fsck/repair.ts";
import { AppError } from "../../errors.ts";
import { openStorage } from "../../files/open-storage.ts";
import { checkFiles } from "../../services/files/check-files.ts";
import { defineCommand } from "../command.ts";

export const fsck = defineCommand({
  name: "fsck",
  summary: "Checks the invariants of the data, chat by chat, while the server runs. Exit code 1 if one is violated.",
  options: [
    { flags: "--chat <id>", description: "only this chat" },
    { flags: "--repair", description: "raises counters that are too low, and lists rows that refer to nothing" },
    { flags: "--yes", description: "with --repair: deletes the rows that refer to nothing" },
  ],
  needs: "database",
  async run({ config, database, noteViolations }, { chat, repair: repairs, yes }) {
    const chatId = chat === undefined ? undefined : Number(chat);
    if (chatId !== undefined && !(Number.isSafeInteger(chatId) && chatId > 0)) {
      throw new AppError("validation", "--chat must be the id of a chat");
    }
    if (yes === true && repairs !== true) throw new AppError("validation", "--yes needs --repair");
    const done = repairs === true ? await repair(database, { chatId, deletesOrphans: yes === true }) : undefined;
    const { violations, chats } = await findViolations(database, chatId);
    if (chatId === undefined) {
      const storage = await openStorage({ url: config.files.url, dataDir: config.server.dataDir });
      violations.push(...(await checkFiles(database, storage, Date.now())));
    }
    if (chatId === undefined) noteViolations?.(violations.length);
    const summary = `${chats} chats checked, ${violations.length} violations.\n`;
    const data = { violations, chats, repaired: 0, ...done };
    return {
      text: [...(done ? repairLines(done) : []), ...violationLines(violations), summary].join(""),
      data,
      hasFailed: violations.length > 0,
    };
  },
});

function repairLines({ repaired, sequences, orphans, areOrphansDeleted }: Repairs): string[] {
  const summary = `Raised the counters of ${repaired} chats and ${sequences} sequences.\n`;
  if (orphans.length === 0) return [summary];
  const rows = orphans.map(({ invariant, ...row }) => `${JSON.stringify(row)}\n`);
  const heading = areOrphansDeleted
    ? `Deleted ${orphans.length} rows that refer to nothing:\n`
    : `${orphans.length} rows refer to nothing; --repair --yes deletes them:\n`;
  return [summary, heading, ...rows, "\n"];
}

export const violationLines = (violations: readonly Violation[]): string[] =>
  violations.map(({ invariant, ...where }) => `${invariant}: ${JSON.stringify(where)}\n`);
