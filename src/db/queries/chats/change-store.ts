import type { Database } from "../../connect.ts";
import { isOutage } from "../../database-errors.ts";
import { changesAfter, changesOfChats, waitForWriters } from "./changes.ts";

/** The stored changes of chats, as delivery reads them. */
export const changeStore = (database: Database) => ({
  changesAfter: (gap: { chatId: number; after: number }, limit: number) => changesAfter(database, { ...gap, limit }),
  changesOfChats: (gaps: readonly { chatId: number; after: number }[], limit: number) =>
    changesOfChats(database, gaps, limit),
  waitForWriters: (chatId: number) => waitForWriters(database, chatId),
  isOutage,
});
