import { Attendance } from "./membership.ts";
import type { Log, ReadPage } from "./log.ts";
import type { Row, Truth } from "./final-state.ts";

/** No leak, and no news before its commit: what was told is stored, and was told to members only. */
export function judgeTold(truth: Truth, told: Pick<Log, "pushed" | "synced" | "pages">, log: Log): void {
  const { rows, chats } = truth;
  const attendance = new Attendance(rows);
  const stored = new Map(rows.map((row) => [`${row.chatId} ${row.seq}`, row]));
  /** Whether it was for somebody to hear; of a group that has ended nobody knows any more. */
  const concerns = (userId: number, chatId: number, isMember: () => boolean): boolean => {
    const chat = chats.get(chatId);
    if (chat?.kind === "dialog") return chat.pairLow === userId || chat.pairHigh === userId;
    return chat === undefined || chat.ended || isMember();
  };

  for (const { userId, chatId, seq, version } of told.pushed) {
    const chat = chats.get(chatId);
    const isStored = chat?.ended ? version <= chat.version : (stored.get(`${chatId} ${seq}`)?.version ?? 0) >= version;
    if (!isStored)
      log.violate("ghost", `person ${userId} was told chat ${chatId} version ${version}, which is not stored`);
    if (!concerns(userId, chatId, () => attendance.hears(userId, chatId, version))) {
      log.violate("leak", `person ${userId} was told chat ${chatId} version ${version} while not in it`);
    }
  }
  for (const { userId, chatId, version } of told.synced) {
    if (!concerns(userId, chatId, () => attendance.isIn(userId, chatId, { version }))) {
      log.violate("leak", `person ${userId} was told all of chat ${chatId} at version ${version} while not in it`);
    }
  }
  for (const page of told.pages) {
    judgePage(truth, stored, page, log);
    const { userId, chatId, rows: shown, isNewest } = page;
    const seq = shown.at(-1)?.seq;
    if (seq === undefined || !isNewest) continue;
    if (!concerns(userId, chatId, () => attendance.isIn(userId, chatId, { seq }))) {
      log.violate("leak", `person ${userId} read chat ${chatId} up to seq ${seq} while not in it`);
    }
  }
  for (const { chatId, seq, senderId, event } of rows) {
    if (!event && !concerns(senderId, chatId, () => attendance.isIn(senderId, chatId, { seq }))) {
      log.violate("leak", `person ${senderId} wrote chat ${chatId} seq ${seq} while not in it`);
    }
  }
}

/** A page is a stretch of the chat without a hole, and shows each message as it is or was. */
function judgePage({ chats }: Truth, stored: ReadonlyMap<string, Row>, page: ReadPage, log: Log): void {
  const { userId, chatId, rows } = page;
  const wrong = (what: string) =>
    log.violate("contradiction", `person ${userId} read a page of chat ${chatId} that ${what}`);
  const [first] = rows;
  const isDense = rows.every(({ seq }, index) => seq === (first?.seq ?? 0) + index);
  if (!isDense) wrong(`has a hole or a repeat: ${rows.map(({ seq }) => seq).join(" ")}`);
  if (chats.get(chatId)?.ended) return;
  for (const { seq, version, messageId, senderId, message } of rows) {
    const row = stored.get(`${chatId} ${seq}`);
    if (!row || row.version < version) {
      log.violate("ghost", `person ${userId} read chat ${chatId} seq ${seq} version ${version}, which is not stored`);
    } else if (row.id !== messageId || row.senderId !== senderId) wrong(`shows another message as seq ${seq}`);
    else if (row.version === version && !row.event && row.content !== message) wrong(`says something else at ${seq}`);
  }
}
