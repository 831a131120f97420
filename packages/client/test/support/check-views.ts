import {
  type FinalState,
  memberKey,
  type StoredMessage,
  shownAuthorOf,
  stateKeyOf,
} from "../../../../test/chaos/final-state.ts";
import { previewOf } from "../../../../test/chaos/local-chat.ts";
import { countMentions, hasSameMentions } from "../../../../test/chaos/mentions.ts";
import type { Chat, ChatSummary, Message, Messenger, Timeline } from "../../src/index.ts";
import { chatOf, faultsOf, type RandomLog, type WrittenMessage } from "./random-device.ts";
import { isSameJson } from "./same-json.ts";
import type { DeviceView } from "./settled-views.ts";

/** What a device shows of one chat. */
export interface ChatView {
  summary: ChatSummary;
  /** The newest messages, or all of them. */
  messages: readonly Message[];
  isComplete: boolean;
  /** The messages around a position, if there are others. */
  part: readonly Message[];
  peerReadSeq: number | undefined;
}

/** Everything that a device shows. @param maxMessages limits what is read of each chat */
export async function readView(messenger: Messenger, maxMessages = Number.MAX_SAFE_INTEGER): Promise<ChatView[]> {
  const views: ChatView[] = [];
  for (const listed of messenger.chats.value) {
    const chat = chatOf(messenger, listed);
    const timeline = chat.timeline({ maxSize: Number.MAX_SAFE_INTEGER });
    await readToBothEnds(timeline, maxMessages);
    // Both at one moment: while the messages were read, another program of the store may have changed its outbox.
    const summary = chat.summary.value;
    const messages = newestOf(timeline, maxMessages);
    const isComplete = !timeline.value.hasOlder && sentOf(messages).length === sentOf(timeline.value.messages).length;
    timeline.close();
    const part = isComplete ? [] : await readPart(chat, summary);
    views.push({ summary, messages, isComplete, part, peerReadSeq: chat.readBy.value[0]?.seq });
  }
  return views;
}

const sentOf = (messages: readonly Message[]) => messages.filter(({ state }) => state === "sent");

/** Loads all messages of a timeline, or the newest ones. */
export async function readToBothEnds(
  timeline: Timeline,
  maxMessages = Number.MAX_SAFE_INTEGER,
): Promise<readonly Message[]> {
  for (let page = 0; timeline.value.hasNewer; page++) {
    if (page > 1000) throw new Error("hasNewer stays true");
    await timeline.loadNewer();
  }
  for (let page = 0; timeline.value.hasOlder && sentOf(timeline.value.messages).length < maxMessages; page++) {
    if (page > 1000) throw new Error("hasOlder stays true");
    await timeline.loadOlder();
  }
  return newestOf(timeline, maxMessages);
}

/** So many of the newest messages of a timeline, and those that are not sent. */
function newestOf(timeline: Timeline, maxMessages: number): readonly Message[] {
  const { messages } = timeline.value;
  return messages.slice(Math.max(0, sentOf(messages).length - maxMessages));
}

/** Opens a long chat in its middle, and moves in both directions. */
async function readPart(chat: Chat, { lastSeq }: ChatSummary): Promise<readonly Message[]> {
  const timeline = chat.timeline({ at: { seq: Math.ceil(lastSeq / 2) } });
  try {
    await timeline.loadOlder();
    await timeline.loadNewer();
    return sentOf(timeline.value.messages);
  } finally {
    timeline.close();
  }
}

/** Names and roles, which the final state does not have. */
export interface GroupDetails {
  names: ReadonlyMap<number, string>;
  /** By `memberKey`. */
  roles: ReadonlyMap<string, string>;
}

/** Compares what a device shows with the database. */
export function checkView(
  finalState: FinalState,
  details: GroupDetails,
  { name, userId, views, preferences }: DeviceView,
  log: Pick<RandomLog, "report">,
): void {
  const { chats, members, states } = finalState;
  const stored = states.get(stateKeyOf({ userId, key: "preferences" }))?.value ?? undefined;
  if (!isSameJson(preferences, stored)) {
    log.report(`${name}: has the preferences ${JSON.stringify(preferences)} instead of ${JSON.stringify(stored)}`);
  }
  const shown = new Map(views.flatMap((view) => (view.summary.id === undefined ? [] : [[view.summary.id, view]])));
  for (const [chatId, chat] of chats) {
    const report = (fault: string) => log.report(`${name}: chat ${chatId}: ${fault}`);
    const member = members.get(memberKey(userId, chatId));
    const isListed =
      member && !chat.isDeleted && chat.version > 0 && (chat.kind === "group" || chat.lastSeq > member.clearedSeq);
    const view = shown.get(chatId);
    if (isListed && !view) report("is missing");
    if (!member || !view) {
      if (view?.messages.some(({ state }) => state === "sent")) report("is shown to a user who is not in it");
      continue;
    }
    const { summary, messages, isComplete, part, peerReadSeq } = view;
    const unread = chat.lastSeq - member.readSeq;
    if (summary.unread !== unread) report(`has ${summary.unread} unread messages instead of ${unread}`);
    const mentions = countMentions(finalState.rowsByChat.get(chatId) ?? [], member.readSeq, userId);
    if (summary.mentions !== mentions) report(`has ${summary.mentions} unread mentions instead of ${mentions}`);
    checkSettings(finalState, { userId, chatId }, summary, report);
    if (chat.kind === "group") {
      const stored = details.names.get(chatId);
      if (summary.title !== stored) report(`is called ${summary.title} instead of ${stored}`);
      const role = details.roles.get(memberKey(userId, chatId));
      if (summary.role !== role) report(`shows the role ${summary.role} instead of ${role}`);
      const count = [...members.keys()].filter((key) => key.endsWith(` ${chatId}`)).length;
      if (summary.memberCount !== count) report(`shows ${summary.memberCount} members instead of ${count}`);
    } else {
      const peerId = chat.pairLow === userId ? chat.pairHigh : chat.pairLow;
      const peer = peerId === userId ? undefined : members.get(memberKey(peerId ?? 0, chatId));
      if (peer && peerReadSeq !== peer.readSeq)
        report(`is read by the other user to ${peerReadSeq}, not ${peer.readSeq}`);
    }
    const rows = (finalState.rowsByChat.get(chatId) ?? []).filter(({ seq }) => seq > member.clearedSeq);
    const shownRows = isComplete ? rows : rows.slice(-sentOf(messages).length);
    checkMessages(finalState, shownRows, messages, report);
    checkMarks(shownRows, sentOf(messages), userId, report);
    const [from = 0, to = 0] = [part[0]?.seq, part.at(-1)?.seq];
    const partRows = rows.filter(({ seq }) => seq >= from && seq <= to);
    checkMessages(finalState, partRows, part, (fault) => report(`in its middle: ${fault}`));
    checkMarks(partRows, sentOf(part), userId, (fault) => report(`in its middle: ${fault}`));
    const last = messages.at(-1);
    if (summary.lastMessage?.key !== last?.key)
      report(`shows ${summary.lastMessage?.key} as its last message instead of ${last?.key}`);
  }
}

/** Compares the settings and the draft of a chat with the personal state of the user. */
function checkSettings(
  { states }: FinalState,
  { userId, chatId }: { userId: number; chatId: number },
  { level, pinned, markedUnread, draft }: ChatSummary,
  report: (fault: string) => void,
): void {
  const objectOf = (key: string): Record<string, unknown> => Object(states.get(stateKeyOf({ userId, key }))?.value);
  const settings = objectOf(`chat:${chatId}`);
  const stored = [settings.level ?? "all", settings.pinned, settings.markedUnread ?? false];
  const shown = [level, pinned, markedUnread];
  if (!isSameJson(shown, stored)) report(`has the settings ${shown} instead of ${stored}`);
  const { text = "" } = objectOf(`draft:${chatId}`);
  if (draft !== text) report(`has the draft "${draft}" instead of "${text}"`);
}

/** Compares the messages of a timeline with the rows that it should show. */
export function checkMessages(
  { rowById }: FinalState,
  rows: readonly StoredMessage[],
  messages: readonly Message[],
  report: (fault: string) => void,
): void {
  for (const fault of faultsOf(messages)) report(fault);
  const sent = messages.filter(({ state }) => state === "sent");
  for (const { state, text } of messages) {
    if (state === "queued" || state === "sending") report(`still shows "${text}" as ${state}`);
  }
  if (sent.length !== rows.length) report(`shows ${sent.length} messages instead of ${rows.length}`);
  rows.forEach((row, index) => {
    const message = sent[index];
    if (!message || message.seq !== row.seq) {
      report(`shows seq ${message?.seq} instead of ${row.seq}`);
      return;
    }
    const { messageId, version, senderId, text, editedAt, deletedAt, replyTo } = message;
    if (messageId !== row.id || version !== row.version || senderId !== row.senderId) {
      report(`seq ${row.seq} is at version ${version} instead of ${row.version}`);
    }
    if (!row.event && text !== row.content) report(`seq ${row.seq} shows "${text}" instead of "${row.content}"`);
    if ((editedAt === null) !== (row.editedAt === null)) report(`seq ${row.seq} has another time of its edit`);
    if ((deletedAt === null) !== (row.deletedAt === null)) report(`seq ${row.seq} has another time of its deletion`);
    if (message.forwarded?.senderId !== shownAuthorOf(row)) report(`seq ${row.seq} names another first author`);
    const fileIds = (message.files ?? []).map(({ id }) => id);
    if (!isSameJson(fileIds, row.files ?? [])) report(`seq ${row.seq} has other files`);
    if (!hasSameMentions(message, row)) report(`seq ${row.seq} mentions others`);
    const original = row.replyTo === null ? undefined : rowById.get(row.replyTo);
    if (replyTo?.messageId !== original?.id) report(`seq ${row.seq} replies to another message`);
    if (original && !original.event && replyTo?.preview !== previewOf(original.content)) {
      report(`seq ${row.seq} shows another text of the message it replies to`);
    }
  });
}

/** Compares reactions, with those of the user, and pins. */
function checkMarks(
  rows: readonly StoredMessage[],
  messages: readonly Message[],
  userId: number,
  report: (fault: string) => void,
): void {
  rows.forEach(({ seq, reactions, pinnedBy }, index) => {
    const { reactions: shown = [], pinned } = messages[index] ?? {};
    const wanted = (reactions ?? []).map(({ emoji, userIds }) => [emoji, userIds.length, userIds.includes(userId)]);
    const found = shown.map(({ emoji, count, mine = false }) => [emoji, count, mine]);
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      report(`seq ${seq} has the reactions ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
    }
    if ((pinned?.by ?? null) !== (pinnedBy ?? null)) report(`seq ${seq} is pinned by ${pinned?.by}, not ${pinnedBy}`);
  });
}

/** Everything written is stored exactly once, or shown as failed, in the order of writing. */
export function checkWritten(
  finalState: FinalState,
  log: RandomLog,
  /** The codes with which messages were refused that devices show as failed, by their ids. */
  failed: ReadonlyMap<string, string>,
): void {
  const { rows } = finalState;
  const byText = new Map<string, number>();
  for (const { clientMessageId, content, editedAt, forwardedFrom } of rows) {
    // Copies have the text of their originals.
    if (clientMessageId && !editedAt && !forwardedFrom && content) byText.set(content, (byText.get(content) ?? 0) + 1);
  }
  const byId = new Map(rows.map((row) => [row.clientMessageId, row]));
  const lastOfLane = new Map<string, { seq: number; chatId: number; text: string }>();
  for (const written of log.written) {
    checkOutcome(written, byId.get(written.clientMessageId), failed, log);
    if ((byText.get(written.text) ?? 0) > 1) log.report(`"${written.text}" is stored twice`, "duplicate");
    const row = byId.get(written.clientMessageId);
    if (!row) continue;
    checkFiles(finalState, written, row, log);
    const last = lastOfLane.get(written.lane);
    if (last && last.chatId === row.chatId && row.seq < last.seq) {
      log.report(`"${written.text}" is stored before "${last.text}", which was written before it`, "out-of-order");
    }
    lastOfLane.set(written.lane, { seq: row.seq, chatId: row.chatId, text: written.text });
  }
}

function checkOutcome(
  { text, clientMessageId, isStored, outcome, isUndone, mayLoseFiles, failedWith }: WrittenMessage,
  row: StoredMessage | undefined,
  failed: ReadonlyMap<string, string>,
  log: RandomLog,
): void {
  const isFailed = failed.has(clientMessageId);
  const hasLostFiles = [failed.get(clientMessageId), failedWith, outcome].includes("FILE_LOST");
  if (hasLostFiles && !mayLoseFiles) log.report(`"${text}" has lost its files`, "lost");
  if (isFailed && row) log.report(`"${text}" is shown as failed and is stored`, "ghost");
  if (isUndone) return;
  if (outcome === "sent" && !row) log.report(`"${text}" was sent and is not stored`, "lost");
  if (outcome === "DISCARDED") return;
  if (isStored && !row && !isFailed) log.report(`"${text}" is lost (${outcome})`, "lost");
}

/** A message has the files with which it was written, until it or its group is deleted. */
function checkFiles(
  { chats, files }: FinalState,
  { text, digests = [] }: WrittenMessage,
  row: StoredMessage,
  log: RandomLog,
): void {
  if (row.deletedAt !== null || row.forwardedFrom || chats.get(row.chatId)?.isDeleted) return;
  const stored = (row.files ?? []).map((id) => files.get(id)?.sha256);
  if (!isSameJson(stored, digests)) log.report(`"${text}" has the files ${stored} instead of ${digests}`, "lost");
}
