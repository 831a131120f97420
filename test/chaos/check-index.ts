import { highlightsOf, searchForm } from "../../src/services/search/search-text.ts";
import type { Frame } from "./delivery-checker.ts";
import type { FinalState } from "./final-state.ts";
import type { Log } from "./log.ts";

/** Search finds what the chats contain: each text that can be read, in its present form, and no other. */
export function checkIndex({ chats, rowsByChat, texts }: FinalState, log: Log): void {
  for (const [chatId, { version, indexedVersion, isDeleted }] of chats) {
    if (isDeleted) continue;
    if (indexedVersion !== version) {
      log.reportViolation("index", `chat ${chatId}: indexed to version ${indexedVersion} instead of ${version}`);
    }
    for (const { id, content, event, deletedAt } of rowsByChat.get(chatId) ?? []) {
      const expected = event || deletedAt ? undefined : searchForm(content);
      if (texts.get(id) !== expected) {
        log.reportViolation(
          "index",
          `chat ${chatId}: message ${id} is indexed as "${texts.get(id)}", not "${expected}"`,
        );
      }
    }
  }
}

/** What a search has found contains its words, and is neither deleted nor a system message. */
export function checkFound(found: readonly Frame[], words: readonly string[], log: Log): void {
  for (const { messageId, message, notification, deletedAt, highlights } of found) {
    const expected = highlightsOf(message, words);
    if (!notification && deletedAt === null && JSON.stringify(highlights) === JSON.stringify(expected)) continue;
    log.reportViolation("index", `message ${messageId}, "${message}", was found by "${words.join(" ")}"`);
  }
}
