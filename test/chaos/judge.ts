import type { ChaosClient } from "./client.ts";
import type { Log, Sent } from "./log.ts";
import type { LocalChat } from "./replica.ts";
import { type Row, readTruth, type Truth } from "./truth.ts";

/** Holds what every client saw against the database, and notes every violation in the log. */
export async function judge(url: string, log: Log, clients: readonly ChaosClient[]): Promise<void> {
  const truth = await readTruth(url);
  judgeRows(truth, log);
  judgeSends(truth, log.sent.values(), log);
  judgePushes(truth, log.pushed, log);
  for (const client of clients) judgeClient(truth, log, client);
}

/** The part of the judgement that holds at any time: nothing acknowledged is lost, nothing told is a ghost. */
export async function judgeInPassing(url: string, log: Log): Promise<void> {
  // First what was said, then what is stored: the other way round, what happens meanwhile would look lost.
  const sent = [...log.sent.values()].filter(({ outcome }) => outcome === "acknowledged").map((one) => ({ ...one }));
  const pushed = [...log.pushed];
  const truth = await readTruth(url);
  judgeSends(truth, sent, log);
  judgePushes(truth, pushed, log);
}

/** One order: 1 to last, without a hole and without a repeat. */
function judgeRows({ chats, rowsByChat }: Truth, log: Log): void {
  for (const [chatId, { lastSeq, version, deleted }] of chats) {
    if (deleted) continue;
    const own = rowsByChat.get(chatId) ?? [];
    const dense = own.length === lastSeq && own.every(({ seq }, index) => seq === index + 1);
    if (!dense) log.violate("hole", `chat ${chatId}: seq is not 1 to ${lastSeq}`);
    const versions = new Set(own.map((row) => row.version));
    const greatest = Math.max(0, ...versions);
    if (versions.size !== own.length || greatest !== version) {
      log.violate("hole", `chat ${chatId}: versions repeat, or end at ${greatest} instead of ${version}`);
    }
  }
}

/** Durable, once, no ghosts. */
function judgeSends({ rows, chats }: Truth, sent: Iterable<Sent>, log: Log): void {
  const byClientId = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.clientMessageId === null) continue;
    const key = `${row.senderId} ${row.clientMessageId}`;
    byClientId.set(key, [...(byClientId.get(key) ?? []), row]);
  }
  for (const { text, clientMessageId, senderId, outcome, chatId, seq, messageId, replyTo } of sent) {
    const found = byClientId.get(`${senderId} ${clientMessageId}`) ?? [];
    const [row] = found;
    if (found.length > 1) log.violate("duplicate", `"${text}" is stored ${found.length} times`);
    if (outcome === "refused" && row) log.violate("ghost", `"${text}" was refused and is stored`);
    if (outcome !== "acknowledged" || chats.get(chatId ?? 0)?.deleted) continue;
    if (!row) log.violate("lost", `"${text}" was acknowledged and is not stored`);
    else if (row.id !== messageId || row.seq !== seq || row.chatId !== chatId) {
      log.violate("lost", `"${text}" is stored elsewhere than its acknowledgement says`);
    } else if ((!row.editedAt && !row.deletedAt && row.content !== text) || row.replyTo !== (replyTo ?? null)) {
      log.violate("lost", `"${text}" was acknowledged and is stored as something else`);
    }
  }
}

/** When people came into groups and left them, by person and chat. */
function comingsAndGoings(
  rows: readonly Row[],
): (userId: number, chatId: number, seq: number) => { seq: number; inside: boolean } | undefined {
  const moves = new Map<string, { seq: number; inside: boolean }[]>();
  for (const { chatId, seq, event } of rows) {
    const who = event?.kind === "memberAdded" || event?.kind === "memberRemoved" ? event.userId : event?.byUserId;
    const isMove = event && ["groupCreated", "memberAdded", "memberRemoved", "memberLeft"].includes(event.kind);
    if (who === undefined || !isMove) continue;
    const inside = event.kind === "memberAdded" || event.kind === "groupCreated";
    const key = `${who} ${chatId}`;
    moves.set(key, [...(moves.get(key) ?? []), { seq, inside }]);
  }
  return (userId, chatId, at) =>
    moves
      .get(`${userId} ${chatId}`)
      ?.filter(({ seq }) => seq <= at)
      .at(-1);
}

/** No leak, and no news before its commit: what was told live is stored, and was told to members only. */
function judgePushes({ rows, chats }: Truth, pushed: Log["pushed"], log: Log): void {
  const lastMove = comingsAndGoings(rows);
  const stored = new Map(rows.map((row) => [`${row.chatId} ${row.seq}`, row]));
  for (const { userId, chatId, seq, version, isNew } of pushed) {
    const chat = chats.get(chatId);
    if (chat?.deleted) continue;
    const row = stored.get(`${chatId} ${seq}`);
    if (!row || row.version < version)
      log.violate("ghost", `person ${userId} was told chat ${chatId} version ${version}, which is not stored`);
    if (!isNew || chat?.kind !== "group") continue;
    const move = lastMove(userId, chatId, seq);
    // The notice of one's own leaving is the last thing one hears.
    if (!move || (!move.inside && move.seq !== seq)) {
      log.violate("leak", `person ${userId} was told chat ${chatId} seq ${seq} while not in it`);
    }
  }
  for (const { chatId, seq, senderId, event } of rows) {
    if (event || chats.get(chatId)?.kind !== "group") continue;
    if (!lastMove(senderId, chatId, seq)?.inside) {
      log.violate("leak", `person ${senderId} wrote chat ${chatId} seq ${seq} while not in it`);
    }
  }
}

/** Complete catch-up: what a device knows after it has caught up is what the database has. */
function judgeClient(truth: Truth, log: Log, client: ChaosClient): void {
  const { chats, members } = truth;
  const wrong = (chatId: number, what: string) => log.violate("incomplete", `${client.name}: chat ${chatId}: ${what}`);
  for (const [key] of members) {
    const [userId = 0, chatId = 0] = key.split(" ").map(Number);
    const chat = chats.get(chatId);
    if (userId === client.userId && chat && !chat.deleted && chat.version > 0 && !client.replica.chats.has(chatId))
      wrong(chatId, "is missing");
  }
  for (const local of client.replica.chats.values()) {
    const marks = members.get(`${client.userId} ${local.chatId}`);
    const chat = chats.get(local.chatId);
    if (!marks || !chat) {
      log.violate("leak", `${client.name}: still has chat ${local.chatId}, which it is not in`);
      continue;
    }
    if (local.version !== chat.version) wrong(local.chatId, `is at version ${local.version} of ${chat.version}`);
    if (local.readSeq !== marks.readSeq) wrong(local.chatId, `is read to ${local.readSeq} instead of ${marks.readSeq}`);
    if (local.clearedSeq !== marks.clearedSeq) wrong(local.chatId, `is cleared to ${local.clearedSeq}`);
    compareMessages(local, truth, (what) => wrong(local.chatId, what));
  }
}

/** A device has each message as it is, and nothing that its person has hidden. */
function compareMessages(local: LocalChat, { rowsByChat, rowById }: Truth, wrong: (what: string) => void): void {
  const { chatId, clearedSeq, messages, partial } = local;
  for (const seq of messages.keys()) if (seq <= clearedSeq) wrong(`still has seq ${seq}, cleared to ${clearedSeq}`);
  for (const row of rowsByChat.get(chatId) ?? []) {
    if (row.seq <= clearedSeq) continue;
    const item = messages.get(row.seq);
    if (!item) {
      if (!partial) wrong(`seq ${row.seq} is missing`);
      continue;
    }
    const { version, messageId, message, senderId, replyTo } = item;
    if (version !== row.version || messageId !== row.id || senderId !== row.senderId) {
      wrong(`seq ${row.seq} is at version ${version} instead of ${row.version}`);
    }
    if (!row.event && message !== row.content) wrong(`seq ${row.seq} says something else`);
    const answered = row.replyTo === null ? undefined : rowById.get(row.replyTo);
    if (replyTo?.messageId !== answered?.id || replyTo?.senderId !== answered?.senderId) {
      wrong(
        `seq ${row.seq} answers message ${replyTo?.messageId} of person ${replyTo?.senderId} instead of ${row.replyTo}`,
      );
    }
  }
}
