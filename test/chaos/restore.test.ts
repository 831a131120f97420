import { afterEach, expect, jest, test } from "@jest/globals";
import { startRestoredHistory } from "./checker.ts";
import type { FinalState } from "./final-state.ts";
import type { ViolationKind } from "./log.ts";
import { Scenario } from "./scenario.ts";

/* Scripted runs in which a backup is restored. Each begins with one message of Ann that is in the backup. */

afterEach(() => {
  jest.restoreAllMocks();
});

/** Replaces what is stored. */
function replaceStored(scenario: Scenario, { chats, rows, members }: FinalState): void {
  for (const chat of scenario.chats) Object.assign(chat, chats.get(chat.id));
  scenario.rows.splice(0, scenario.rows.length, ...rows);
  for (const member of scenario.members) Object.assign(member, members.get(`${member.userId} ${member.chatId}`));
}

type Play = (scenario: Scenario) => void;

/** @returns the kinds of the violations found */
function run(steps: {
  beforeRestore: Play;
  changeBackup?: Play;
  epoch?: string;
  afterRestore?: Play;
}): ViolationKind[] {
  const { beforeRestore, changeBackup, epoch = "second", afterRestore } = steps;
  const scenario = new Scenario();
  scenario.send(scenario.ann, scenario.bob, "one");
  const acknowledged = scenario.log.acknowledged();
  const backup = scenario.stored();
  beforeRestore(scenario);
  replaceStored(scenario, backup);
  changeBackup?.(scenario);
  startRestoredHistory(scenario.stored(), scenario.log, acknowledged);
  scenario.epoch = epoch;
  for (const device of scenario.devices) scenario.connect(device);
  afterRestore?.(scenario);
  return scenario.check();
}

const sendTwo: Play = (scenario) => void scenario.send(scenario.ann, scenario.bob, "two");
const sendThree: Play = (scenario) => void scenario.send(scenario.ann, scenario.bob, "three");
const deleteFirst: Play = (scenario) => {
  const row = scenario.rows.find(({ content }) => content === "one");
  if (row) scenario.push(scenario.bob, scenario.acknowledgeRevision(row, "deletion"), "deleteMessage");
};

test("what was acknowledged after the backup was taken may be lost", () => {
  expect(run({ beforeRestore: sendTwo })).toEqual([]);
  expect(run({ beforeRestore: deleteFirst })).toEqual([]);
  const readDialog: Play = (scenario) => {
    const row = scenario.write(scenario.dialog, scenario.ann, "Are you there?");
    for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row, "privateMessage");
    scenario.pushReadState(scenario.ann, scenario.readDialog(row.seq));
  };
  expect(run({ beforeRestore: readDialog })).toEqual([]);
});

test("what was acknowledged before the backup was taken must be in it", () => {
  const removeFirst: Play = (scenario) => {
    const index = scenario.rows.findIndex(({ content }) => content === "one");
    const [last] = scenario.rows.splice(index, 1);
    if (last) Object.assign(scenario.group, { lastSeq: last.seq - 1, version: last.version - 1 });
  };
  expect(run({ beforeRestore: sendTwo, changeBackup: removeFirst })).toContain("lost");
});

test("the same versions may be used again after the restore", () => {
  expect(run({ beforeRestore: sendTwo, afterRestore: sendThree })).toEqual([]);
});

test("what the restore has undone must not be stored later", () => {
  const storeUndone: Play = (scenario) => {
    const row = scenario.write(scenario.group, scenario.ann, "two", { clientMessageId: "two" });
    for (const device of [scenario.ann, scenario.bob]) scenario.push(device, row);
  };
  expect(run({ beforeRestore: sendTwo, afterRestore: storeUndone })).toEqual(["ghost"]);
});

test("the epoch must be another one after the restore", () => {
  expect(run({ beforeRestore: sendTwo, epoch: "first", afterRestore: sendThree })).toContain("inconsistent");
});

test("the epoch must not change without a restore", () => {
  const change: Play = (scenario) => {
    scenario.epoch = "third";
    scenario.connect(scenario.bob);
  };
  expect(run({ beforeRestore: sendTwo, afterRestore: change })).toEqual(["inconsistent"]);
});
