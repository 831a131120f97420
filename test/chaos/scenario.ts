import { jest } from "@jest/globals";
import type { CheckedDevice } from "./check-devices.ts";
import { checkRun } from "./checker.ts";
import { DeliveryChecker } from "./delivery-checker.ts";
import {
  type FinalState,
  finalStateOf,
  type StoredChat,
  type StoredFile,
  type StoredMessage,
  type StoredState,
} from "./final-state.ts";
import { itemOf } from "./item-of-row.ts";
import { Log, type PageRow, type SentMessage, type ViolationKind } from "./log.ts";

const second = 1000;

interface Device extends CheckedDevice {
  checker: DeliveryChecker;
}
type Chat = StoredChat & { id: number };

/**
 * A scripted run: a group of Ann and Bob, their dialog, and Cid, who is in neither. Each has a synced device. Tests add
 * single steps: `write` stores a message, `push` and `respond` send it to a device, `send` does all of it correctly.
 */
export class Scenario {
  /** The time of the run, in milliseconds; replaces the real clock. */
  now = Date.parse("2026-11-25T08:00:00Z");
  epoch = "first";
  readonly log = new Log();
  readonly chats: Chat[] = [];
  readonly rows: StoredMessage[] = [];
  readonly members: { userId: number; chatId: number; readSeq: number; clearedSeq: number }[] = [];
  readonly files: StoredFile[] = [];
  /** The avatars of the users who have one. */
  readonly avatars = new Map<number, string>();
  /** The personal state of Ann. */
  readonly states: StoredState[] = [];
  readonly ann = this.device("ann", 1);
  readonly bob = this.device("bob", 2);
  readonly cid = this.device("cid", 3);
  readonly group = this.chat("group");
  readonly dialog = this.chat("dialog");

  constructor() {
    jest.spyOn(Date, "now").mockImplementation(() => this.now);
    this.systemMessage(this.ann, "groupCreated");
    this.systemMessage(this.ann, "memberAdded", this.bob);
    this.write(this.dialog, this.ann, "Hi");
    for (const { userId } of [this.ann, this.bob]) {
      for (const { id: chatId } of this.chats) this.members.push({ userId, chatId, readSeq: 1, clearedSeq: 0 });
    }
    for (const device of this.devices) this.connect(device);
  }

  get devices(): Device[] {
    return [this.ann, this.bob, this.cid];
  }

  /** Checks the run and returns the kinds of the violations found. */
  check(): ViolationKind[] {
    checkRun(this.stored(), this.log, this.devices);
    return [...new Set(this.log.violations.map(({ kind }) => kind))];
  }

  /** What is stored now. */
  stored(): FinalState {
    const rows = this.rows.map((row) => ({ ...row })).toSorted((a, b) => a.chatId - b.chatId || a.seq - b.seq);
    const copies = <T extends object>(list: readonly T[]) => list.map((one) => ({ ...one }));
    const users = this.devices.map(({ userId: id }) => ({
      id,
      stateVersion: this.stateVersionOf(id),
      avatarId: this.avatars.get(id) ?? null,
    }));
    const { chats, members, states, files } = this;
    return finalStateOf({
      chats: copies(chats),
      rows,
      members: copies(members),
      states: copies(states),
      users,
      files: copies(files),
    });
  }

  connect(device: Device): void {
    device.checker.startConnection();
    this.sync(device);
    device.checker.completeSync();
    this.now += second;
  }

  /** Syncs a device as the server does. */
  sync({ userId, checker }: Device): void {
    const { chats: listed, stateVersion, epoch = this.epoch } = checker.startSync();
    const known = new Map(epoch === this.epoch ? listed.map((chat) => [chat[0] ?? 0, chat]) : []);
    const mine = this.chats.flatMap((chat) => {
      const member = this.memberOf(userId, chat.id);
      return member && !chat.isDeleted ? [{ chat, member }] : [];
    });
    const chats = mine.flatMap(({ chat: { id: chatId, kind, version, lastSeq }, member: { readSeq, clearedSeq } }) => {
      const [peerId, peerReadSeq] = kind === "dialog" ? [3 - userId, this.memberOf(3 - userId, chatId)?.readSeq] : [];
      const current = [chatId, version, readSeq, clearedSeq, ...(peerReadSeq === undefined ? [] : [peerReadSeq])];
      const before = known.get(chatId);
      if (before?.join() === current.join()) return [];
      const messages = this.rows
        .filter((row) => row.chatId === chatId && row.version > (before?.[1] ?? 0))
        .toSorted((a, b) => a.version - b.version)
        .map(itemOf);
      const joined = before === undefined;
      return { chatId, kind, userId: peerId, version, lastSeq, readSeq, clearedSeq, peerReadSeq, messages, joined };
    });
    const left = [...known.keys()].filter((chatId) => !mine.some(({ chat }) => chat.id === chatId));
    const changed = this.states.filter((state) => state.userId === userId && state.version > stateVersion);
    const entries = changed.map(({ key, value }) => [key, value] as const);
    const state = { version: this.stateVersionOf(userId), entries };
    const item = { chats, left, state, hasMore: false, epoch: this.epoch };
    checker.receive({ type: "sync", success: true, params: { item } });
  }

  private stateVersionOf(userId: number): number {
    return Math.max(0, ...this.states.filter((state) => state.userId === userId).map(({ version }) => version));
  }

  memberOf(userId: number, chatId: number) {
    return this.members.find((member) => member.userId === userId && member.chatId === chatId);
  }

  write(
    chat: Chat,
    { userId: senderId }: CheckedDevice,
    content: string,
    more: Partial<StoredMessage> = {},
  ): StoredMessage {
    const row: StoredMessage = {
      id: this.rows.length + 100,
      chatId: chat.id,
      seq: ++chat.lastSeq,
      version: ++chat.version,
      senderId,
      clientMessageId: null,
      replyTo: null,
      content,
      event: null,
      editedAt: null,
      deletedAt: null,
      ...more,
    };
    this.rows.push(row);
    const member = this.memberOf(senderId, chat.id);
    if (member) member.readSeq = row.seq;
    return row;
  }

  /** Stores a system message of the group. */
  systemMessage(by: CheckedDevice, kind: string, subject?: CheckedDevice): StoredMessage {
    const event = { kind, byUserId: by.userId, ...(subject && { userId: subject.userId }) };
    return this.write(this.group, by, "", { event });
  }

  revise(row: StoredMessage, change: { content: string } | "deletion"): StoredMessage {
    const chat = this.chats.find(({ id }) => id === row.chatId);
    if (chat) row.version = ++chat.version;
    if (change === "deletion") Object.assign(row, { content: "", deletedAt: new Date(this.now) });
    else Object.assign(row, { ...change, editedAt: new Date(this.now) });
    return row;
  }

  push({ checker }: Device, row: StoredMessage, type = "messageInGroup"): void {
    checker.receive({ type, success: true, params: { isBroadcast: true, item: itemOf(row) } });
  }

  respond({ checker }: Device, row: StoredMessage, type = "messageInGroup"): void {
    checker.receive({ type, success: true, params: { isBroadcast: false, item: itemOf(row) } });
  }

  /** Logs a send and its outcome. */
  logSend(
    row: StoredMessage,
    outcome: "acknowledged" | "rejected" | "unknown" = "acknowledged",
    more: Partial<SentMessage> = {},
  ): void {
    const { id: messageId, chatId, seq, senderId, content: text } = row;
    row.clientMessageId ??= text;
    const { clientMessageId } = row;
    const ids = outcome === "acknowledged" && { messageId, chatId, seq };
    this.log.sent.set(text, { text, clientMessageId, senderId, outcome, to: { groupId: chatId }, ...ids, ...more });
  }

  /** Reconnects with an empty replica. */
  reconnect(device: Device): void {
    device.replica.chats.clear();
    this.connect(device);
  }

  /** Sends a message to the group and delivers it correctly. */
  send(from: Device, to: Device, text: string): StoredMessage {
    const row = this.write(this.group, from, text);
    this.logSend(row);
    this.respond(from, row);
    this.push(to, row);
    return row;
  }

  /** Logs that a device asks for an edit or deletion. */
  requestRevision({ name }: Device, { id: messageId }: StoredMessage, change: { content: string } | "deletion"): void {
    const isDeletion = change === "deletion";
    this.log.requestedRevisions.add(name, { messageId, content: isDeletion ? "" : change.content, isDeletion });
  }

  /** Edits or deletes a message of Ann and acknowledges it, without the push to Bob. */
  acknowledgeRevision(row: StoredMessage, change: { content: string } | "deletion"): StoredMessage {
    this.revise(row, change);
    const isDeletion = change === "deletion";
    this.respond(this.ann, row, isDeletion ? "deleteMessage" : "editMessage");
    const { chatId, id: messageId, version, content } = row;
    this.log.revisions.push({ chatId, messageId, version, content, isDeletion });
    return row;
  }

  /** Stores a new value under a key of Ann's personal state. */
  writeState(value: unknown, key = "preferences"): StoredState {
    const { userId } = this.ann;
    const state = { userId, key, value, version: this.stateVersionOf(userId) + 1 };
    const others = this.states.filter((one) => one.key !== key);
    this.states.splice(0, this.states.length, ...others, state);
    return state;
  }

  /** Acknowledges a change of Ann's personal state, or pushes it to her device. */
  receiveState({ key, value, version }: StoredState, isBroadcast = false): void {
    const item = { stateVersion: version, key, value };
    this.ann.checker.receive({ type: "setState", success: true, params: { isBroadcast, item } });
  }

  /** Bob reads the dialog: stores and acknowledges the read position. */
  readDialog(seq: number): { chatId: number; userId: number; readSeq: number } {
    const item = { chatId: this.dialog.id, userId: this.bob.userId, readSeq: seq };
    Object.assign(this.memberOf(item.userId, item.chatId) ?? {}, { readSeq: seq });
    this.bob.checker.receive({ type: "markRead", success: true, params: { isBroadcast: false, item } });
    this.now += 2 * second;
    return item;
  }

  pushReadState({ checker }: Device, item: object): void {
    checker.receive({ type: "markRead", success: true, params: { isBroadcast: true, item } });
  }

  /** Removes Bob from the group and delivers it to both. */
  removeBob(): void {
    const row = this.systemMessage(this.ann, "memberRemoved", this.bob);
    const isBob = ({ userId, chatId }: Scenario["members"][number]) => userId === 2 && chatId === this.group.id;
    this.members.splice(this.members.findIndex(isBob), 1);
    this.respond(this.ann, row, "removeUserFromGroup");
    this.push(this.bob, row, "removeUserFromGroup");
  }

  /** Deletes the group and delivers it to both. Of its messages, only those with a client id are kept. */
  deleteGroup(): void {
    const row = this.systemMessage(this.ann, "groupDeleted");
    this.respond(this.ann, row, "deleteGroup");
    this.push(this.bob, row, "deleteGroup");
    this.group.isDeleted = true;
    const isKept = ({ chatId, clientMessageId }: StoredMessage) => chatId !== this.group.id || clientMessageId !== null;
    const kept = this.rows.filter(isKept);
    this.rows.splice(0, this.rows.length, ...kept);
    for (const row of kept) if (row.chatId === this.group.id) row.content = "";
    this.members.splice(0, this.members.length, ...this.members.filter(({ chatId }) => chatId !== this.group.id));
  }

  readPage(device: Device, rows: readonly StoredMessage[], more: { isNewest?: boolean } = {}): void {
    const { userId, replica, checker } = device;
    const page: PageRow[] = rows.map(itemOf);
    const chat = replica.chats.get(this.group.id);
    if (chat) checker.expectPage(chat)(page);
    this.log.pages.push({ userId, chatId: this.group.id, rows: page, isNewest: false, ...more });
  }

  get groupRows(): StoredMessage[] {
    return this.rows.filter(({ chatId }) => chatId === this.group.id);
  }

  private device(name: string, userId: number): Device {
    const checker = new DeliveryChecker({ name, userId }, this.log, () => {});
    return { name, userId, checker, replica: checker.replica };
  }

  private chat(kind: "group" | "dialog"): Chat {
    const [pairLow, pairHigh] = kind === "dialog" ? [1, 2] : [null, null];
    const chat = { id: this.chats.length + 10, kind, lastSeq: 0, version: 0, isDeleted: false, pairLow, pairHigh };
    this.chats.push(chat);
    return chat;
  }
}
