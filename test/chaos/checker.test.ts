import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { itemOf } from "./item-of-row.ts";
import type { ViolationKind } from "./log.ts";
import { Scenario } from "./scenario.ts";

/*
 * Scripted runs, each with one violation or nearly one: the checker must report exactly the expected kinds. Long because
 * it is one table of all cases.
 */

const second = 1000;

afterEach(() => {
  jest.restoreAllMocks();
});

/** A scripted run and the violations that the checker must find in it. */
type Case = [title: string, violations: ViolationKind[], play: (scenario: Scenario) => void];

const cases: Record<string, Case[]> = {
  "a send": [
    ["that is delivered to everyone", [], (scenario) => scenario.send(scenario.ann, scenario.bob, "one")],
    [
      "that was acknowledged and is not stored",
      ["lost"],
      (scenario) => {
        scenario.logSend({
          ...scenario.send(scenario.ann, scenario.bob, "one"),
          id: 99,
          content: "two",
          clientMessageId: "two",
        });
      },
    ],
    [
      "that is stored with other ids than acknowledged",
      ["lost"],
      (scenario) => {
        scenario.send(scenario.ann, scenario.bob, "one");
        Object.assign(scenario.log.sent.get("one") ?? {}, { seq: 4 });
      },
    ],
    [
      "that is stored with another text",
      ["lost"],
      (scenario) => {
        const row = scenario.write(scenario.group, scenario.ann, "one");
        scenario.logSend(row);
        row.content = "two";
        scenario.respond(scenario.ann, row);
        scenario.push(scenario.bob, row);
      },
    ],
    [
      "that was acknowledged as a reply and is stored without one",
      ["lost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        Object.assign(scenario.log.sent.get("one") ?? {}, { replyTo: row.id });
      },
    ],
    [
      "that was acknowledged as a forwarded one and is stored without its first author",
      ["lost"],
      (scenario) => {
        const original = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.send(scenario.bob, scenario.ann, "two");
        const forwards = { messageId: original.id, firstAuthorId: scenario.ann.userId };
        Object.assign(scenario.log.sent.get("two") ?? {}, { forwards });
      },
    ],
    [
      "that is stored twice",
      ["duplicate"],
      (scenario) => {
        const [first, second] = [
          scenario.send(scenario.ann, scenario.bob, "one"),
          scenario.write(scenario.group, scenario.ann, "one"),
        ];
        second.clientMessageId = first.clientMessageId;
        scenario.respond(scenario.ann, second);
        scenario.push(scenario.bob, second);
      },
    ],
    [
      "that was rejected and is stored",
      ["ghost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.logSend(row, "rejected");
      },
    ],
    [
      "with an unknown outcome, stored or not",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.logSend(row, "unknown");
        scenario.logSend({ ...row, content: "two", clientMessageId: "two" }, "unknown");
      },
    ],
    [
      "to a group that was deleted later",
      [],
      (scenario) => {
        scenario.send(scenario.ann, scenario.bob, "one");
        scenario.deleteGroup();
      },
    ],
    [
      "whose client id was purged with its group",
      ["lost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.deleteGroup();
        scenario.rows.splice(scenario.rows.indexOf(row), 1);
      },
    ],
  ],
  "an acknowledged change of a message": [
    [
      "that is delivered to everyone",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, "deletion"), "deleteMessage");
      },
    ],
    [
      "that is not stored",
      ["lost"],
      (scenario) => {
        const { chatId, id: messageId, version } = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.log.revisions.push({ chatId, messageId, version: version + 1, content: "two", isDeletion: false });
      },
    ],
    [
      "that is stored as another text",
      ["lost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
        Object.assign(scenario.log.revisions[0] ?? {}, { content: "three" });
      },
    ],
    [
      "that was a deletion and left the content",
      ["lost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, "deletion"), "deleteMessage");
        row.content = "one";
        for (const device of [scenario.ann, scenario.bob]) scenario.reconnect(device);
      },
    ],
    [
      "that is not delivered to a connected device",
      ["missed"],
      (scenario) => {
        scenario.acknowledgeRevision(scenario.send(scenario.ann, scenario.bob, "one"), { content: "two" });
        scenario.send(scenario.ann, scenario.bob, "three");
        scenario.sync(scenario.bob);
      },
    ],
    [
      "that was superseded before it was published",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.acknowledgeRevision(row, { content: "two" });
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "three" }), "editMessage");
        scenario.sync(scenario.bob);
      },
    ],
  ],
  "an edit or deletion that two devices request": [
    [
      "and whose answer comes before the push, to the device whose request stored nothing",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        for (const revision of [{ content: "two" }, "deletion"] as const) {
          scenario.requestRevision(scenario.ann, row, revision);
          scenario.requestRevision(scenario.bob, row, revision);
          scenario.acknowledgeRevision(row, revision);
          const type = revision === "deletion" ? "deleteMessage" : "editMessage";
          scenario.respond(scenario.bob, row, type);
          scenario.push(scenario.bob, row, type);
        }
      },
    ],
    [
      "and whose answer comes before the pushes of earlier changes",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        const next = scenario.write(scenario.group, scenario.ann, "two");
        scenario.respond(scenario.ann, next);
        for (const device of [scenario.ann, scenario.bob]) scenario.requestRevision(device, row, "deletion");
        scenario.acknowledgeRevision(row, "deletion");
        scenario.respond(scenario.bob, row, "deleteMessage");
        scenario.push(scenario.bob, next);
        scenario.push(scenario.bob, row, "deleteMessage");
      },
    ],
    [
      "and that is pushed twice",
      ["redelivered"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        for (const device of [scenario.ann, scenario.bob]) scenario.requestRevision(device, row, "deletion");
        scenario.acknowledgeRevision(row, "deletion");
        scenario.respond(scenario.bob, row, "deleteMessage");
        for (let count = 0; count < 2; count++) scenario.push(scenario.bob, row, "deleteMessage");
      },
    ],
    [
      "differently, and that is pushed to the one whose request stored it",
      ["redelivered"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.requestRevision(scenario.ann, row, { content: "two" });
        scenario.requestRevision(scenario.bob, row, { content: "three" });
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
        scenario.push(scenario.ann, row, "editMessage");
      },
    ],
  ],
  "the order of a chat": [
    [
      "with a missing seq",
      ["gap"],
      (scenario) => {
        scenario.dialog.lastSeq++;
        scenario.sync(scenario.bob);
      },
    ],
    [
      "with a duplicate version",
      ["gap"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        const other = scenario.write(scenario.group, scenario.ann, "two", { version: row.version });
        scenario.group.version = row.version;
        for (const { replica } of [scenario.ann, scenario.bob]) {
          replica.chats.get(scenario.group.id)?.messages.set(other.seq, itemOf(other));
        }
        Object.assign(scenario.ann.replica.chats.get(scenario.group.id) ?? {}, { readSeq: other.seq });
      },
    ],
    [
      "delivered in the wrong order",
      ["out-of-order"],
      (scenario) => {
        const [first, next] = ["one", "two"].map((text) => scenario.write(scenario.group, scenario.ann, text));
        for (const row of [next, first])
          if (row) for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row);
        for (const device of [scenario.ann, scenario.bob]) scenario.reconnect(device);
      },
    ],
    [
      "delivered twice on one connection",
      ["redelivered"],
      (scenario) => scenario.push(scenario.bob, scenario.send(scenario.ann, scenario.bob, "one")),
    ],
    [
      "delivered once on each of two connections",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.connect(scenario.bob);
        scenario.push(scenario.bob, row);
      },
    ],
    [
      "delivered with a gap that a sync fills",
      ["missed"],
      (scenario) => {
        scenario.respond(scenario.ann, scenario.write(scenario.group, scenario.ann, "one"));
        scenario.send(scenario.ann, scenario.bob, "two");
        scenario.sync(scenario.bob);
      },
    ],
    [
      "delivered with a gap by the first push of a connection",
      ["missed"],
      (scenario) => {
        scenario.connect(scenario.bob);
        scenario.respond(scenario.ann, scenario.write(scenario.group, scenario.ann, "one"));
        scenario.send(scenario.ann, scenario.bob, "two");
        scenario.sync(scenario.bob);
      },
    ],
    [
      "delivered with a gap to a device that was offline",
      [],
      (scenario) => {
        scenario.respond(scenario.ann, scenario.write(scenario.group, scenario.ann, "one"));
        scenario.bob.checker.startConnection();
        scenario.send(scenario.ann, scenario.bob, "two");
        scenario.sync(scenario.bob);
      },
    ],
    [
      "that a sync moves backwards",
      ["out-of-order"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.group.version--;
        scenario.sync(scenario.bob);
        scenario.group.version = row.version;
        scenario.connect(scenario.bob);
      },
    ],
  ],
  "a push": [
    [
      "of a message that is not stored",
      ["ghost", "incomplete"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.push(scenario.bob, { ...row, seq: row.seq + 1, version: row.version + 1 });
      },
    ],
    [
      "11 seconds after the acknowledgement",
      ["late"],
      (scenario) => {
        const row = scenario.write(scenario.group, scenario.ann, "one");
        scenario.respond(scenario.ann, row);
        scenario.now += 11 * second;
        scenario.push(scenario.bob, row);
      },
    ],
    [
      "11 seconds after the acknowledgement, right after a fault",
      [],
      (scenario) => {
        const row = scenario.write(scenario.group, scenario.ann, "one");
        scenario.respond(scenario.ann, row);
        scenario.log.latency.suspend();
        scenario.now += 11 * second;
        scenario.log.latency.resume();
        scenario.push(scenario.bob, row);
      },
    ],
    [
      "to a non-member",
      ["leak"],
      (scenario) => scenario.push(scenario.cid, scenario.send(scenario.ann, scenario.bob, "one")),
    ],
    [
      "of a dialog to another user",
      ["leak"],
      (scenario) => {
        const row = scenario.write(scenario.dialog, scenario.ann, "psst");
        for (const device of scenario.devices) scenario.push(device, row, "privateMessage");
      },
    ],
    ["of the removal of the user", [], (scenario) => scenario.removeBob()],
    [
      "of a message sent after the removal of the user",
      ["leak"],
      (scenario) => {
        scenario.removeBob();
        scenario.send(scenario.ann, scenario.bob, "one");
      },
    ],
    [
      "of an edit after the removal of the user",
      ["leak"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.removeBob();
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
      },
    ],
    ["of the deletion of a group", [], (scenario) => scenario.deleteGroup()],
    [
      "of a message in a deleted group",
      ["ghost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.deleteGroup();
        scenario.push(scenario.bob, { ...row, seq: row.seq + 2, version: row.version + 2 });
      },
    ],
  ],
  "a message": [
    [
      "of a non-member",
      ["leak"],
      (scenario) => {
        const row = scenario.write(scenario.group, scenario.cid, "let me in");
        for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row);
      },
    ],
  ],
  "a sync": [
    [
      "that contains a group of which the user is no member",
      ["leak"],
      (scenario) => {
        scenario.members.push({ userId: 3, chatId: scenario.group.id, readSeq: 0, clearedSeq: 0 });
        scenario.connect(scenario.cid);
      },
    ],
    [
      "that omits a group the user has left",
      ["leak"],
      (scenario) => {
        scenario.bob.checker.startConnection();
        const row = scenario.systemMessage(scenario.ann, "memberRemoved", scenario.bob);
        scenario.respond(scenario.ann, row, "removeUserFromGroup");
        scenario.members.splice(2, 1);
      },
    ],
    ["that omits a chat", ["incomplete"], (scenario) => void scenario.bob.replica.chats.delete(scenario.dialog.id)],
    [
      "that omits a message",
      ["incomplete"],
      (scenario) => {
        const { seq } = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.bob.replica.chats.get(scenario.group.id)?.messages.delete(seq);
      },
    ],
    [
      "that omits the last change",
      ["incomplete"],
      (scenario) => {
        const row = scenario.write(scenario.group, scenario.ann, "one");
        scenario.respond(scenario.ann, row);
        scenario.rows.pop();
        scenario.sync(scenario.bob);
        scenario.rows.push(row);
        scenario.bob.replica.chats.get(scenario.group.id)?.messages.set(row.seq, itemOf(row));
      },
    ],
    [
      "that omits a deletion",
      ["incomplete"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.bob.checker.startConnection();
        scenario.acknowledgeRevision(row, "deletion");
        Object.assign(scenario.bob.replica.chats.get(scenario.group.id) ?? {}, { version: row.version });
      },
    ],
    [
      "that omits the read position of the other user",
      ["incomplete"],
      (scenario) => Object.assign(scenario.ann.replica.chats.get(scenario.dialog.id) ?? {}, { peerReadSeq: 0 }),
    ],
    [
      "that contains cleared messages",
      ["incomplete"],
      (scenario) => {
        for (const member of scenario.members) if (member.chatId === scenario.dialog.id) member.clearedSeq = 1;
        for (const { replica } of [scenario.ann, scenario.bob]) {
          Object.assign(replica.chats.get(scenario.dialog.id) ?? {}, { clearedSeq: 1 });
        }
      },
    ],
  ],
  "a read position": [
    [
      "that is pushed to the other user",
      [],
      (scenario) => {
        const row = scenario.write(scenario.dialog, scenario.ann, "Are you there?");
        for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row, "privateMessage");
        scenario.pushReadState(scenario.ann, scenario.readDialog(row.seq));
      },
    ],
    [
      "that the other user receives by sync only",
      ["missed"],
      (scenario) => {
        const row = scenario.write(scenario.dialog, scenario.ann, "Are you there?");
        for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row, "privateMessage");
        scenario.readDialog(row.seq);
        scenario.sync(scenario.ann);
      },
    ],
    [
      "that the other user receives by sync after being offline",
      [],
      (scenario) => {
        const row = scenario.write(scenario.dialog, scenario.ann, "Are you there?");
        for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row, "privateMessage");
        scenario.ann.checker.startConnection();
        scenario.readDialog(row.seq);
        scenario.sync(scenario.ann);
      },
    ],
    [
      "that was acknowledged and is not stored",
      ["lost"],
      (scenario) => scenario.log.recordReadState({ chatId: scenario.dialog.id, userId: 2, readSeq: 2, clearedSeq: 0 }),
    ],
  ],
  "a page of history": [
    [
      "read before the removal of the user",
      [],
      (scenario) => {
        scenario.readPage(scenario.bob, scenario.groupRows, { isNewest: true });
        scenario.removeBob();
      },
    ],
    ["as it is stored", [], (scenario) => scenario.readPage(scenario.bob, scenario.groupRows, { isNewest: true })],
    [
      "as it was before an edit",
      [],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.readPage(scenario.bob, scenario.groupRows);
        scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
      },
    ],
    [
      "with a gap",
      ["inconsistent"],
      (scenario) => {
        scenario.send(scenario.ann, scenario.bob, "one");
        scenario.readPage(scenario.bob, scenario.groupRows.toSpliced(1, 1));
      },
    ],
    [
      "with a duplicate message",
      ["inconsistent"],
      (scenario) =>
        scenario.readPage(
          scenario.bob,
          scenario.groupRows.flatMap((row) => [row, row]),
        ),
    ],
    [
      "with another text",
      ["inconsistent"],
      (scenario) =>
        scenario.readPage(scenario.bob, [{ ...scenario.send(scenario.ann, scenario.bob, "one"), content: "two" }]),
    ],
    [
      "with an older version than the device has",
      ["inconsistent"],
      (scenario) => {
        const row = { ...scenario.send(scenario.ann, scenario.bob, "one") };
        const [stored] = scenario.groupRows.slice(-1);
        if (stored)
          scenario.push(scenario.bob, scenario.acknowledgeRevision(stored, { content: "two" }), "editMessage");
        scenario.readPage(scenario.bob, [row]);
      },
    ],
    [
      "with a message that is not stored",
      ["ghost"],
      (scenario) => {
        const row = scenario.send(scenario.ann, scenario.bob, "one");
        scenario.readPage(scenario.bob, [row, { ...row, seq: row.seq + 1, version: row.version + 1 }]);
      },
    ],
    [
      "read by a non-member",
      ["leak"],
      (scenario) => scenario.readPage(scenario.cid, scenario.groupRows, { isNewest: true }),
    ],
    [
      "read after the removal of the user",
      ["leak"],
      (scenario) => {
        scenario.removeBob();
        scenario.readPage(scenario.bob, scenario.groupRows, { isNewest: true });
      },
    ],
  ],
};

describe.each(Object.entries(cases))("%s", (_, casesOfGroup) => {
  test.each(casesOfGroup)("%s: %j", (_title, violations, play) => {
    const scenario = new Scenario();
    play(scenario);
    expect(scenario.check()).toEqual(violations);
  });
});

test("a device that has not received an acknowledged change is missing it", () => {
  const scenario = new Scenario();
  const row = scenario.write(scenario.group, scenario.ann, "one");
  scenario.respond(scenario.ann, row);
  expect(scenario.bob.checker.missing()).toEqual([expect.stringContaining("receives no more")]);
  scenario.push(scenario.bob, row);
  expect(scenario.bob.checker.missing()).toEqual([]);
  const message = scenario.write(scenario.dialog, scenario.ann, "Are you there?");
  for (const device of [scenario.ann, scenario.bob]) scenario.push(device, message, "privateMessage");
  const readState = scenario.readDialog(message.seq);
  expect(scenario.ann.checker.missing()).toEqual([expect.stringContaining("has read it to 2")]);
  scenario.pushReadState(scenario.ann, readState);
  expect(scenario.ann.checker.missing()).toEqual([]);
});
