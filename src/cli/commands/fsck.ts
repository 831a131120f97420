import { findViolations, repairCounters, type Violation } from "../../db/queries/fsck/fsck.ts";
import { AppError } from "../../errors.ts";
import { defineCommand } from "../command.ts";

export const fsck = defineCommand({
  name: "fsck",
  summary: "Checks the invariants of the data, chat by chat, while the server runs. Exit code 1 if one is violated.",
  options: [
    { flags: "--chat <id>", description: "only this chat" },
    { flags: "--repair", description: "raises counters that are too low; deletes nothing and lowers nothing" },
  ],
  needs: "database",
  async run({ database }, { chat, repair }) {
    const chatId = chat === undefined ? undefined : Number(chat);
    if (chatId !== undefined && !(Number.isSafeInteger(chatId) && chatId > 0)) {
      throw new AppError("validation", "--chat must be the id of a chat");
    }
    const repaired = repair === true ? await repairCounters(database, chatId) : 0;
    const { violations, chats } = await findViolations(database, chatId);
    const lines = violationLines(violations);
    const summary = `${chats} chats checked, ${violations.length} violations${repair ? `, ${repaired} chats repaired` : ""}.\n`;
    return { text: lines.join("") + summary, data: { violations, chats, repaired }, hasFailed: violations.length > 0 };
  },
});

export const violationLines = (violations: readonly Violation[]): string[] =>
  violations.map(({ invariant, ...where }) => `${invariant}: ${JSON.stringify(where)}\n`);
