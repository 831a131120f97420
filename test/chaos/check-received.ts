import { checkPushedStates } from "./check-state.ts";
import type { FinalState, StoredMessage } from "./final-state.ts";
import type { HistoryPage, Log } from "./log.ts";
import { Membership } from "./membership.ts";

/** No leak, and no push before the commit: everything received is stored, and only members received it. */
export function checkReceived(
  finalState: FinalState,
  received: Pick<Log, "pushed" | "pushedStates" | "synced" | "pages">,
  log: Log,
): void {
  checkPushedStates(finalState, received.pushedStates, log);
  const { rows, chats } = finalState;
  const membership = new Membership(rows);
  const stored = new Map(rows.map((row) => [`${row.chatId} ${row.seq}`, row]));
  /** Whether the user may access the chat. The members of a deleted group are not known any more. */
  const mayAccess = (userId: number, chatId: number, isMember: () => boolean): boolean => {
    const chat = chats.get(chatId);
    if (chat?.kind === "dialog") return chat.pairLow === userId || chat.pairHigh === userId;
    return chat === undefined || chat.isDeleted || isMember();
  };

  for (const { userId, chatId, seq, version } of received.pushed) {
    const chat = chats.get(chatId);
    const isStored = chat?.isDeleted
      ? version <= chat.version
      : (stored.get(`${chatId} ${seq}`)?.version ?? 0) >= version;
    if (!isStored)
      log.reportViolation("ghost", `user ${userId} received chat ${chatId} version ${version}, which is not stored`);
    if (!mayAccess(userId, chatId, () => membership.receives(userId, chatId, version))) {
      log.reportViolation("leak", `user ${userId} received chat ${chatId} version ${version} without being a member`);
    }
  }
  for (const { userId, chatId, version } of received.synced) {
    if (!mayAccess(userId, chatId, () => membership.isMember(userId, chatId, { version }))) {
      log.reportViolation("leak", `user ${userId} synced chat ${chatId} at version ${version} without being a member`);
    }
  }
  for (const page of received.pages) {
    checkPage(finalState, stored, page, log);
    const { userId, chatId, rows: pageRows, isNewest } = page;
    const seq = pageRows.at(-1)?.seq;
    if (seq === undefined || !isNewest) continue;
    if (!mayAccess(userId, chatId, () => membership.isMember(userId, chatId, { seq }))) {
      log.reportViolation("leak", `user ${userId} read chat ${chatId} up to seq ${seq} without being a member`);
    }
  }
  for (const { chatId, seq, senderId, event } of rows) {
    if (!event && !mayAccess(senderId, chatId, () => membership.isMember(senderId, chatId, { seq }))) {
      log.reportViolation("leak", `user ${senderId} wrote chat ${chatId} seq ${seq} without being a member`);
    }
  }
}

/** A page has consecutive messages, each as it is or was stored. */
function checkPage(
  { chats }: FinalState,
  stored: ReadonlyMap<string, StoredMessage>,
  page: HistoryPage,
  log: Log,
): void {
  const { userId, chatId, rows } = page;
  const report = (details: string) =>
    log.reportViolation("inconsistent", `user ${userId} read a page of chat ${chatId} that ${details}`);
  const [first] = rows;
  const isDense = rows.every(({ seq }, index) => seq === (first?.seq ?? 0) + index);
  if (!isDense) report(`has a gap or a duplicate: ${rows.map(({ seq }) => seq).join(" ")}`);
  if (chats.get(chatId)?.isDeleted) return;
  for (const { seq, version, messageId, senderId, message } of rows) {
    const row = stored.get(`${chatId} ${seq}`);
    if (!row || row.version < version) {
      log.reportViolation(
        "ghost",
        `user ${userId} read chat ${chatId} seq ${seq} version ${version}, which is not stored`,
      );
    } else if (row.id !== messageId || row.senderId !== senderId) report(`has another message as seq ${seq}`);
    else if (row.version === version && !row.event && row.content !== message) report(`has another text at seq ${seq}`);
  }
}
