import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { MessageItem } from "../../src/contract/messages.ts";
import { judgeBy } from "./checker.ts";
import type { JudgedDevice } from "./check-devices.ts";
import { Log, type PageRow, type Violation } from "./log.ts";
import { Replica } from "./replica.ts";
import { type Row, type StoredChat, truthOf } from "./final-state.ts";

/* Runs made by hand, each with one violation or just short of it: the judge has to name that one, or none. */

const second = 1000;
let now = 0;

beforeEach(() => {
  now = Date.parse("2026-11-25T08:00:00Z");
  jest.spyOn(Date, "now").mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

interface Device extends JudgedDevice {
  replica: Replica;
}
type Chat = StoredChat & { id: number };

/**
 * A group of Ann and Bob, their dialog, and Cid, who is in neither; each has a device that has caught up. What happens
 * next is told step by step: `write` stores, `hear` and `answer` tell a device, `say` does everything as it should be.
 */
class Story {
  readonly log = new Log();
  readonly chats: Chat[] = [];
  readonly rows: Row[] = [];
  readonly members: { userId: number; chatId: number; readSeq: number; clearedSeq: number }[] = [];
  readonly ann = this.device("ann", 1);
  readonly bob = this.device("bob", 2);
  readonly cid = this.device("cid", 3);
  readonly group = this.chat("group");
  readonly dialog = this.chat("dialog");

  constructor() {
    this.event(this.ann, "groupCreated");
    this.event(this.ann, "memberAdded", this.bob);
    this.write(this.dialog, this.ann, "Hi");
    for (const { userId } of [this.ann, this.bob]) {
      for (const { id: chatId } of this.chats) this.members.push({ userId, chatId, readSeq: 1, clearedSeq: 0 });
    }
    for (const device of this.devices) this.connect(device);
  }

  get devices(): Device[] {
    return [this.ann, this.bob, this.cid];
  }

  /** What the judge says of it all. */
  verdict(): Violation[] {
    const rows = this.rows.toSorted((a, b) => a.chatId - b.chatId || a.seq - b.seq);
    judgeBy(truthOf({ ...this, rows }), this.log, this.devices);
    return [...new Set(this.log.violations.map(({ violation }) => violation))];
  }

  connect(device: Device): void {
    device.replica.startConnection();
    this.catchUp(device);
    device.replica.noteCaughtUp();
    now += second;
  }

  /** Tells a device what differs, as `sync` does. */
  catchUp({ userId, replica }: Device): void {
    const known = new Map(replica.question().map((one) => [one[0] ?? 0, one]));
    const mine = this.chats.flatMap((chat) => {
      const marks = this.markOf(userId, chat.id);
      return marks && !chat.ended ? [{ chat, marks }] : [];
    });
    const chats = mine.flatMap(({ chat: { id: chatId, kind, version }, marks: { readSeq, clearedSeq } }) => {
      const [peerId, peerReadSeq] = kind === "dialog" ? [3 - userId, this.markOf(3 - userId, chatId)?.readSeq] : [];
      const current = [chatId, version, readSeq, clearedSeq, ...(peerReadSeq === undefined ? [] : [peerReadSeq])];
      const before = known.get(chatId);
      if (before?.join() === current.join()) return [];
      const messages = this.rows
        .filter((row) => row.chatId === chatId && row.version > (before?.[1] ?? 0))
        .toSorted((a, b) => a.version - b.version)
        .map(itemOf);
      const joined = before === undefined;
      return { chatId, kind, userId: peerId, version, readSeq, clearedSeq, peerReadSeq, messages, joined };
    });
    const left = [...known.keys()].filter((chatId) => !mine.some(({ chat }) => chat.id === chatId));
    replica.take({ type: "sync", success: true, params: { item: { chats, left, hasMore: false } } });
  }

  markOf(userId: number, chatId: number) {
    return this.members.find((member) => member.userId === userId && member.chatId === chatId);
  }

  write(chat: Chat, { userId: senderId }: JudgedDevice, content: string, more: Partial<Row> = {}): Row {
    const row: Row = {
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
    const mark = this.markOf(senderId, chat.id);
    if (mark) mark.readSeq = row.seq;
    return row;
  }

  /** A coming or going in the group. */
  event(by: JudgedDevice, kind: string, whom?: JudgedDevice): Row {
    const event = { kind, byUserId: by.userId, ...(whom && { userId: whom.userId }) };
    return this.write(this.group, by, "", { event });
  }

  revise(row: Row, change: { content: string } | "deletion"): Row {
    const chat = this.chats.find(({ id }) => id === row.chatId);
    if (chat) row.version = ++chat.version;
    if (change === "deletion") Object.assign(row, { content: "", deletedAt: new Date(now) });
    else Object.assign(row, { ...change, editedAt: new Date(now) });
    return row;
  }

  hear({ replica }: Device, row: Row, type = "messageInGroup"): void {
    replica.take({ type, success: true, params: { isBroadcast: true, item: itemOf(row) } });
  }

  answer({ replica }: Device, row: Row, type = "messageInGroup"): void {
    replica.take({ type, success: true, params: { isBroadcast: false, item: itemOf(row) } });
  }

  /** Notes a send and what its sender knows of it. */
  sent(row: Row, outcome: "acknowledged" | "refused" | "unknown" = "acknowledged"): void {
    const { id: messageId, chatId, seq, senderId, content: text } = row;
    row.clientMessageId ??= text;
    const { clientMessageId } = row;
    const ids = outcome === "acknowledged" && { messageId, chatId, seq };
    this.log.sent.set(text, { text, clientMessageId, senderId, outcome, to: { groupId: chatId }, ...ids });
  }

  /** Comes back without what was kept. */
  reconnect(device: Device): void {
    device.replica.chats.clear();
    this.connect(device);
  }

  /** A message to the group, as it should be. */
  say(from: Device, to: Device, text: string): Row {
    const row = this.write(this.group, from, text);
    this.sent(row);
    this.answer(from, row);
    this.hear(to, row);
    return row;
  }

  /** A change of a message of Ann's, as it should be, but for Bob, who has to be told. */
  acknowledgeRevision(row: Row, change: { content: string } | "deletion"): Row {
    this.revise(row, change);
    const isDeletion = change === "deletion";
    this.answer(this.ann, row, isDeletion ? "deleteMessage" : "editMessage");
    const { chatId, id: messageId, version, content } = row;
    this.log.revisions.push({ chatId, messageId, version, content, isDeletion });
    return row;
  }

  /** Bob reads the dialog: stored and acknowledged. */
  read(seq: number): { chatId: number; userId: number; readSeq: number } {
    const item = { chatId: this.dialog.id, userId: this.bob.userId, readSeq: seq };
    Object.assign(this.markOf(item.userId, item.chatId) ?? {}, { readSeq: seq });
    this.bob.replica.take({ type: "markRead", success: true, params: { isBroadcast: false, item } });
    now += 2 * second;
    return item;
  }

  hearMark({ replica }: Device, item: object): void {
    replica.take({ type: "markRead", success: true, params: { isBroadcast: true, item } });
  }

  /** Puts Bob out of the group, and tells both. */
  removeBob(): void {
    const row = this.event(this.ann, "memberRemoved", this.bob);
    this.members.splice(
      this.members.findIndex(({ userId, chatId }) => userId === 2 && chatId === this.group.id),
      1,
    );
    this.answer(this.ann, row, "removeUserFromGroup");
    this.hear(this.bob, row, "removeUserFromGroup");
  }

  /** Ends the group, and tells both; nothing is left of its history but what has a client id. */
  end(): void {
    const row = this.event(this.ann, "groupDeleted");
    this.answer(this.ann, row, "deleteGroup");
    this.hear(this.bob, row, "deleteGroup");
    this.group.ended = true;
    const kept = this.rows.filter(
      ({ chatId, clientMessageId }) => chatId !== this.group.id || clientMessageId !== null,
    );
    this.rows.splice(0, this.rows.length, ...kept);
    for (const one of kept) if (one.chatId === this.group.id) one.content = "";
    this.members.splice(0, this.members.length, ...this.members.filter(({ chatId }) => chatId !== this.group.id));
  }

  readPage(device: Device, rows: readonly Row[], more: { isNewest?: boolean } = {}): void {
    const { userId, replica } = device;
    const page: PageRow[] = rows.map(itemOf);
    const chat = replica.chats.get(this.group.id);
    if (chat) replica.expectPage(chat)(page);
    this.log.pages.push({ userId, chatId: this.group.id, rows: page, isNewest: false, ...more });
  }

  get groupRows(): Row[] {
    return this.rows.filter(({ chatId }) => chatId === this.group.id);
  }

  private device(name: string, userId: number): Device {
    return { name, userId, replica: new Replica({ name, userId }, this.log, () => {}) };
  }

  private chat(kind: "group" | "dialog"): Chat {
    const [pairLow, pairHigh] = kind === "dialog" ? [1, 2] : [null, null];
    const chat = { id: this.chats.length + 10, kind, lastSeq: 0, version: 0, ended: false, pairLow, pairHigh };
    this.chats.push(chat);
    return chat;
  }
}

function itemOf(row: Row): MessageItem {
  const { id: messageId, chatId, seq, version, senderId, content: message, event, editedAt, deletedAt } = row;
  return {
    chatId,
    messageId,
    seq,
    version,
    senderId,
    senderName: "Somebody",
    senderLastName: null,
    message,
    notification: event !== null,
    ...(event && { event: event as NonNullable<MessageItem["event"]> }),
    createdAt: new Date(0).toISOString(),
    editedAt: editedAt?.toISOString() ?? null,
    deletedAt: deletedAt?.toISOString() ?? null,
  };
}

/** What happens, and what the judge has to say of it. */
type Case = [what: string, violations: Violation[], happens: (story: Story) => void];

const cases: Record<string, Case[]> = {
  "a send": [
    ["that everybody is told", [], (story) => story.say(story.ann, story.bob, "one")],
    [
      "that was acknowledged and is not stored",
      ["lost"],
      (story) => {
        story.sent({ ...story.say(story.ann, story.bob, "one"), id: 99, content: "two", clientMessageId: "two" });
      },
    ],
    [
      "that is stored elsewhere",
      ["lost"],
      (story) => {
        story.say(story.ann, story.bob, "one");
        Object.assign(story.log.sent.get("one") ?? {}, { seq: 4 });
      },
    ],
    [
      "that is stored with other words",
      ["lost"],
      (story) => {
        const row = story.write(story.group, story.ann, "one");
        story.sent(row);
        row.content = "two";
        story.answer(story.ann, row);
        story.hear(story.bob, row);
      },
    ],
    [
      "that was acknowledged as a reply and is none",
      ["lost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        Object.assign(story.log.sent.get("one") ?? {}, { replyTo: row.id });
      },
    ],
    [
      "that is stored twice",
      ["duplicate"],
      (story) => {
        const [first, again] = [story.say(story.ann, story.bob, "one"), story.write(story.group, story.ann, "one")];
        again.clientMessageId = first.clientMessageId;
        story.answer(story.ann, again);
        story.hear(story.bob, again);
      },
    ],
    [
      "that was refused and is stored",
      ["ghost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.sent(row, "refused");
      },
    ],
    [
      "of which nobody knows whether it was stored",
      [],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.sent(row, "unknown");
        story.sent({ ...row, content: "two", clientMessageId: "two" }, "unknown");
      },
    ],
    [
      "to a group that has ended since",
      [],
      (story) => {
        story.say(story.ann, story.bob, "one");
        story.end();
      },
    ],
    [
      "whose client id went with its group",
      ["lost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.end();
        story.rows.splice(story.rows.indexOf(row), 1);
      },
    ],
  ],
  "an acknowledged change of a message": [
    [
      "that everybody is told",
      [],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.hear(story.bob, story.acknowledgeRevision(row, { content: "two" }), "editMessage");
        story.hear(story.bob, story.acknowledgeRevision(row, "deletion"), "deleteMessage");
      },
    ],
    [
      "that the database does not have",
      ["lost"],
      (story) => {
        const { chatId, id: messageId, version } = story.say(story.ann, story.bob, "one");
        story.log.revisions.push({ chatId, messageId, version: version + 1, content: "two", isDeletion: false });
      },
    ],
    [
      "that is stored as another text",
      ["lost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.hear(story.bob, story.acknowledgeRevision(row, { content: "two" }), "editMessage");
        Object.assign(story.log.revisions[0] ?? {}, { content: "three" });
      },
    ],
    [
      "that leaves what was deleted",
      ["lost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.hear(story.bob, story.acknowledgeRevision(row, "deletion"), "deleteMessage");
        row.content = "one";
        for (const who of [story.ann, story.bob]) story.reconnect(who);
      },
    ],
    [
      "that somebody who is connected is not told",
      ["missed"],
      (story) => {
        story.acknowledgeRevision(story.say(story.ann, story.bob, "one"), { content: "two" });
        story.say(story.ann, story.bob, "three");
        story.catchUp(story.bob);
      },
    ],
    [
      "that was changed again before it was told",
      [],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.acknowledgeRevision(row, { content: "two" });
        story.hear(story.bob, story.acknowledgeRevision(row, { content: "three" }), "editMessage");
        story.catchUp(story.bob);
      },
    ],
  ],
  "the order of a chat": [
    [
      "with a place left out",
      ["hole"],
      (story) => {
        story.dialog.lastSeq++;
        story.catchUp(story.bob);
      },
    ],
    [
      "with a version twice",
      ["hole"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        const other = story.write(story.group, story.ann, "two", { version: row.version });
        story.group.version = row.version;
        for (const { replica } of [story.ann, story.bob]) {
          replica.chats.get(story.group.id)?.messages.set(other.seq, itemOf(other));
        }
        Object.assign(story.ann.replica.chats.get(story.group.id) ?? {}, { readSeq: other.seq });
      },
    ],
    [
      "told the other way round",
      ["inversion"],
      (story) => {
        const [first, then] = ["one", "two"].map((text) => story.write(story.group, story.ann, text));
        for (const row of [then, first]) if (row) for (const who of [story.ann, story.bob]) story.hear(who, row);
        for (const who of [story.ann, story.bob]) story.reconnect(who);
      },
    ],
    [
      "told twice on one connection",
      ["repeated"],
      (story) => story.hear(story.bob, story.say(story.ann, story.bob, "one")),
    ],
    [
      "told twice on two connections",
      [],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.connect(story.bob);
        story.hear(story.bob, row);
      },
    ],
    [
      "told with a hole that a sync fills",
      ["missed"],
      (story) => {
        story.answer(story.ann, story.write(story.group, story.ann, "one"));
        story.say(story.ann, story.bob, "two");
        story.catchUp(story.bob);
      },
    ],
    [
      "told with a hole by the first push of a connection",
      ["missed"],
      (story) => {
        story.connect(story.bob);
        story.answer(story.ann, story.write(story.group, story.ann, "one"));
        story.say(story.ann, story.bob, "two");
        story.catchUp(story.bob);
      },
    ],
    [
      "told with a hole to somebody who was away",
      [],
      (story) => {
        story.answer(story.ann, story.write(story.group, story.ann, "one"));
        story.bob.replica.startConnection();
        story.say(story.ann, story.bob, "two");
        story.catchUp(story.bob);
      },
    ],
    [
      "that a sync tells backwards",
      ["inversion"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.group.version--;
        story.catchUp(story.bob);
        story.group.version = row.version;
        story.connect(story.bob);
      },
    ],
  ],
  "a push": [
    [
      "of what is not stored",
      ["ghost", "incomplete"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.hear(story.bob, { ...row, seq: row.seq + 1, version: row.version + 1 });
      },
    ],
    [
      "11 seconds after the acknowledgement",
      ["late"],
      (story) => {
        const row = story.write(story.group, story.ann, "one");
        story.answer(story.ann, row);
        now += 11 * second;
        story.hear(story.bob, row);
      },
    ],
    [
      "11 seconds after the acknowledgement, and right after a fault",
      [],
      (story) => {
        const row = story.write(story.group, story.ann, "one");
        story.answer(story.ann, row);
        story.log.punctuality.break();
        now += 11 * second;
        story.log.punctuality.mend();
        story.hear(story.bob, row);
      },
    ],
    ["to a stranger", ["leak"], (story) => story.hear(story.cid, story.say(story.ann, story.bob, "one"))],
    [
      "of a dialog to a third",
      ["leak"],
      (story) => {
        const row = story.write(story.dialog, story.ann, "psst");
        for (const who of story.devices) story.hear(who, row, "privateMessage");
      },
    ],
    ["of one's own removal", [], (story) => story.removeBob()],
    [
      "of what is said after one's own removal",
      ["leak"],
      (story) => {
        story.removeBob();
        story.say(story.ann, story.bob, "one");
      },
    ],
    [
      "of an edit after one's own removal",
      ["leak"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.removeBob();
        story.hear(story.bob, story.acknowledgeRevision(row, { content: "two" }), "editMessage");
      },
    ],
    ["of the end of a group", [], (story) => story.end()],
    [
      "of what is said in a group that has ended",
      ["ghost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.end();
        story.hear(story.bob, { ...row, seq: row.seq + 2, version: row.version + 2 });
      },
    ],
  ],
  "a message": [
    [
      "of somebody who is not in the group",
      ["leak"],
      (story) => {
        const row = story.write(story.group, story.cid, "let me in");
        for (const who of [story.ann, story.bob]) story.hear(who, row);
      },
    ],
  ],
  "a sync": [
    [
      "that tells a stranger a group",
      ["leak"],
      (story) => {
        story.members.push({ userId: 3, chatId: story.group.id, readSeq: 0, clearedSeq: 0 });
        story.connect(story.cid);
      },
    ],
    [
      "that leaves out what somebody has left",
      ["leak"],
      (story) => {
        story.bob.replica.startConnection();
        const row = story.event(story.ann, "memberRemoved", story.bob);
        story.answer(story.ann, row, "removeUserFromGroup");
        story.members.splice(2, 1);
      },
    ],
    ["that leaves out a chat", ["incomplete"], (story) => void story.bob.replica.chats.delete(story.dialog.id)],
    [
      "that leaves out a message",
      ["incomplete"],
      (story) => {
        const { seq } = story.say(story.ann, story.bob, "one");
        story.bob.replica.chats.get(story.group.id)?.messages.delete(seq);
      },
    ],
    [
      "that leaves out the last change",
      ["incomplete"],
      (story) => {
        const row = story.write(story.group, story.ann, "one");
        story.answer(story.ann, row);
        story.rows.pop();
        story.catchUp(story.bob);
        story.rows.push(row);
        story.bob.replica.chats.get(story.group.id)?.messages.set(row.seq, itemOf(row));
      },
    ],
    [
      "that leaves out a deletion",
      ["incomplete"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.bob.replica.startConnection();
        story.acknowledgeRevision(row, "deletion");
        Object.assign(story.bob.replica.chats.get(story.group.id) ?? {}, { version: row.version });
      },
    ],
    [
      "that leaves out how far the other side has read",
      ["incomplete"],
      (story) => Object.assign(story.ann.replica.chats.get(story.dialog.id) ?? {}, { peerReadSeq: 0 }),
    ],
    [
      "that shows what was hidden",
      ["incomplete"],
      (story) => {
        for (const member of story.members) if (member.chatId === story.dialog.id) member.clearedSeq = 1;
        for (const { replica } of [story.ann, story.bob]) {
          Object.assign(replica.chats.get(story.dialog.id) ?? {}, { clearedSeq: 1 });
        }
      },
    ],
  ],
  "a read mark": [
    [
      "that the other side is told",
      [],
      (story) => {
        const row = story.write(story.dialog, story.ann, "Are you there?");
        for (const who of [story.ann, story.bob]) story.hear(who, row, "privateMessage");
        story.hearMark(story.ann, story.read(row.seq));
      },
    ],
    [
      "that the other side learns of by asking",
      ["missed"],
      (story) => {
        const row = story.write(story.dialog, story.ann, "Are you there?");
        for (const who of [story.ann, story.bob]) story.hear(who, row, "privateMessage");
        story.read(row.seq);
        story.catchUp(story.ann);
      },
    ],
    [
      "that the other side, who was away, learns of by asking",
      [],
      (story) => {
        const row = story.write(story.dialog, story.ann, "Are you there?");
        for (const who of [story.ann, story.bob]) story.hear(who, row, "privateMessage");
        story.ann.replica.startConnection();
        story.read(row.seq);
        story.catchUp(story.ann);
      },
    ],
    [
      "that was acknowledged and is not stored",
      ["lost"],
      (story) => story.log.noteMark({ chatId: story.dialog.id, userId: 2, readSeq: 2, clearedSeq: 0 }),
    ],
  ],
  "a page of history": [
    [
      "read before one's own removal",
      [],
      (story) => {
        story.readPage(story.bob, story.groupRows, { isNewest: true });
        story.removeBob();
      },
    ],
    ["as it is", [], (story) => story.readPage(story.bob, story.groupRows, { isNewest: true })],
    [
      "as it was before an edit",
      [],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.readPage(story.bob, story.groupRows);
        story.hear(story.bob, story.acknowledgeRevision(row, { content: "two" }), "editMessage");
      },
    ],
    [
      "with a hole",
      ["contradiction"],
      (story) => {
        story.say(story.ann, story.bob, "one");
        story.readPage(story.bob, story.groupRows.toSpliced(1, 1));
      },
    ],
    [
      "with a message twice",
      ["contradiction"],
      (story) =>
        story.readPage(
          story.bob,
          story.groupRows.flatMap((row) => [row, row]),
        ),
    ],
    [
      "with other words",
      ["contradiction"],
      (story) => story.readPage(story.bob, [{ ...story.say(story.ann, story.bob, "one"), content: "two" }]),
    ],
    [
      "older than what the reader was told",
      ["contradiction"],
      (story) => {
        const row = { ...story.say(story.ann, story.bob, "one") };
        const [stored] = story.groupRows.slice(-1);
        if (stored) story.hear(story.bob, story.acknowledgeRevision(stored, { content: "two" }), "editMessage");
        story.readPage(story.bob, [row]);
      },
    ],
    [
      "with what is not stored",
      ["ghost"],
      (story) => {
        const row = story.say(story.ann, story.bob, "one");
        story.readPage(story.bob, [row, { ...row, seq: row.seq + 1, version: row.version + 1 }]);
      },
    ],
    ["read by a stranger", ["leak"], (story) => story.readPage(story.cid, story.groupRows, { isNewest: true })],
    [
      "read after one's own removal",
      ["leak"],
      (story) => {
        story.removeBob();
        story.readPage(story.bob, story.groupRows, { isNewest: true });
      },
    ],
  ],
};

describe.each(Object.entries(cases))("%s", (_, those) => {
  test.each(those)("%s: %j", (_what, violations, happens) => {
    const story = new Story();
    happens(story);
    expect(story.verdict()).toEqual(violations);
  });
});

test("who has not been told at the end what was acknowledged is behind", () => {
  const story = new Story();
  const row = story.write(story.group, story.ann, "one");
  story.answer(story.ann, row);
  expect(story.bob.replica.behind()).toEqual([expect.stringContaining("hears no more")]);
  story.hear(story.bob, row);
  expect(story.bob.replica.behind()).toEqual([]);
  const said = story.write(story.dialog, story.ann, "Are you there?");
  for (const who of [story.ann, story.bob]) story.hear(who, said, "privateMessage");
  const mark = story.read(said.seq);
  expect(story.ann.replica.behind()).toEqual([expect.stringContaining("has read it to 2")]);
  story.hearMark(story.ann, mark);
  expect(story.ann.replica.behind()).toEqual([]);
});
