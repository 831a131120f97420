import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { StoredMessage } from "./final-state.ts";
import type { SentMessage, ViolationKind } from "./log.ts";
import type { Mentioned } from "./mentions.ts";
import { Scenario } from "./scenario.ts";

/* Scripted runs with mentions and with changes of the personal state: the checker must report exactly the expected kinds. */

afterEach(() => {
  jest.restoreAllMocks();
});

type Case = [title: string, violations: ViolationKind[], play: (scenario: Scenario) => void];

const toBob = { userId: 2, offset: 0, length: 3 };
const toCid = { userId: 3, offset: 0, length: 3 };

/** Ann sends a message to the group, which is stored and delivered with the given mentions. */
function sendMentioning(scenario: Scenario, given: Partial<SentMessage>, stored: Mentioned = given): StoredMessage {
  const { group, ann, bob } = scenario;
  const row = scenario.write(group, ann, "one", stored);
  scenario.logSend(row, "acknowledged", given);
  scenario.respond(ann, row);
  scenario.push(bob, row);
  return row;
}

/** Ann edits a message that mentions Bob. @param stored what is stored and delivered then */
function edit(scenario: Scenario, mentioned: Mentioned, stored: Mentioned = mentioned): void {
  const row = sendMentioning(scenario, { mentions: [toBob] });
  Object.assign(row, { mentions: null, mentionsAll: null, ...stored, lastChange: "edit" });
  scenario.push(scenario.bob, scenario.acknowledgeRevision(row, { content: "two" }), "editMessage");
  Object.assign(scenario.log.revisions.at(-1) ?? {}, { mentioned });
}

/** What Bob reads at the end. */
function readAsBob({ log, bob, group, dialog }: Scenario, unread: number, messageIds: readonly number[]): void {
  log.mentionsRead.push({
    userId: bob.userId,
    unread: new Map([
      [group.id, unread],
      [dialog.id, 0],
    ]),
    messageIds,
  });
}

const cases: Record<string, Case[]> = {
  "a message with mentions": [
    [
      "of a member and of everybody",
      [],
      (scenario) => sendMentioning(scenario, { mentions: [toBob], mentionsAll: true }),
    ],
    ["of which that of a stranger is dropped", [], (scenario) => sendMentioning(scenario, { mentions: [toCid] }, {})],
    ["of which that of a stranger is stored", ["lost"], (scenario) => sendMentioning(scenario, { mentions: [toCid] })],
    ["of which that of a member is lost", ["lost"], (scenario) => sendMentioning(scenario, { mentions: [toBob] }, {})],
    ["of which that of everybody is lost", ["lost"], (scenario) => sendMentioning(scenario, { mentionsAll: true }, {})],
    [
      "that a device does not have",
      ["incomplete"],
      (scenario) => {
        const row = sendMentioning(scenario, {});
        row.mentions = [toBob];
        Object.assign(scenario.log.sent.get("one") ?? {}, { mentions: [toBob] });
      },
    ],
    ["that an edit has removed", [], (scenario) => edit(scenario, {})],
    ["that an edit should have removed", ["lost"], (scenario) => edit(scenario, {}, { mentions: [toBob] })],
    ["that an edit should have replaced", ["lost"], (scenario) => edit(scenario, { mentionsAll: true }, {})],
  ],
  "what a user reads of mentions": [
    [
      "in a chat with one unread mention",
      [],
      (scenario) => readAsBob(scenario, 1, [sendMentioning(scenario, { mentions: [toBob] }).id]),
    ],
    [
      "that lacks one unread mention",
      ["incomplete"],
      (scenario) => readAsBob(scenario, 0, [sendMentioning(scenario, { mentionsAll: true }).id]),
    ],
    [
      "that lacks a message",
      ["incomplete"],
      (scenario) => {
        sendMentioning(scenario, { mentions: [toBob] });
        readAsBob(scenario, 1, []);
      },
    ],
    [
      "with a message that mentions nobody",
      ["incomplete"],
      (scenario) => readAsBob(scenario, 0, [sendMentioning(scenario, {}).id]),
    ],
  ],
  "a change of the personal state": [
    ["that is stored", [], (scenario) => scenario.receiveState(scenario.writeState(1))],
    [
      "that is replaced later",
      [],
      (scenario) => {
        scenario.receiveState(scenario.writeState(1));
        scenario.receiveState(scenario.writeState(2), true);
      },
    ],
    [
      "that was acknowledged and is not stored",
      ["lost", "incomplete"],
      (scenario) => scenario.receiveState({ userId: 1, key: "preferences", value: 1, version: 1 }),
    ],
    [
      "that is stored as another value",
      ["lost", "incomplete"],
      (scenario) => {
        const state = scenario.writeState(1);
        scenario.receiveState({ ...state, value: 2 });
      },
    ],
    [
      "that was pushed and is not stored",
      ["ghost", "incomplete"],
      (scenario) => scenario.receiveState({ userId: 1, key: "preferences", value: 1, version: 1 }, true),
    ],
    ["that a device does not have", ["incomplete"], (scenario) => scenario.writeState(1)],
    ["of which a device does not have the version", ["incomplete"], (scenario) => scenario.writeState(null)],
    [
      "that a device has received by a sync",
      [],
      (scenario) => {
        scenario.writeState(1);
        scenario.writeState(null, "chat:10");
        scenario.sync(scenario.ann);
      },
    ],
    [
      "that came after a gap, which the device must close",
      ["incomplete"],
      (scenario) => {
        scenario.writeState(1, "chat:10");
        scenario.receiveState(scenario.writeState(2));
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

test("a device that has not received an acknowledged change of the personal state is missing it", () => {
  const scenario = new Scenario();
  const { ann, log } = scenario;
  scenario.now += 1000;
  const state = scenario.writeState(1);
  log.recordState(state);
  scenario.now += 1000;
  expect(ann.checker.missing()).toEqual(["ann: its personal state is at version 0 of 1"]);
  scenario.receiveState(state, true);
  expect(ann.checker.missing()).toEqual([]);
});
