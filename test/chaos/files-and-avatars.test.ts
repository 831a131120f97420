import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { StoredMessage } from "./final-state.ts";
import type { ViolationKind } from "./log.ts";
import { Scenario } from "./scenario.ts";

/* Scripted runs with files and avatars: the checker must report exactly the expected kinds. */

afterEach(() => {
  jest.restoreAllMocks();
});

type Case = [title: string, violations: ViolationKind[], play: (scenario: Scenario) => void];

const file = { id: "f1", ownerId: 1, sha256: "digest" };

/** Ann uploads a file. */
function upload({ log, files }: Scenario, stored: { sha256: string } | undefined = file): void {
  log.uploads.set(file.id, { ...file, isSent: false });
  if (stored) files.push({ ...file, ...stored, isClaimed: false });
}

/** Ann uploads a file and sends it to the group. @param stored the files with which the message is stored and delivered */
function send(scenario: Scenario, stored = [file.id]): StoredMessage {
  upload(scenario);
  const { group, ann, bob, log, files } = scenario;
  Object.assign(log.uploads.get(file.id) ?? {}, { isSent: true });
  Object.assign(files[0] ?? {}, { isClaimed: true });
  const row = scenario.write(group, ann, "one", { files: stored });
  scenario.logSend(row, "acknowledged", { fileIds: [file.id] });
  scenario.respond(ann, row);
  scenario.push(bob, row);
  return row;
}

function deleteMessage(scenario: Scenario, row: StoredMessage): void {
  row.files = null;
  scenario.push(scenario.bob, scenario.acknowledgeRevision(row, "deletion"), "deleteMessage");
}

/** A user reads the file at the end. */
const read = ({ log }: Scenario, { userId }: { userId: number }, sha256: string | undefined) =>
  log.filesRead.push({ userId, fileId: file.id, sha256 });

const requested = { userId: 1, groupId: undefined, startedAt: 1, endedAt: 2 };

const cases: Record<string, Case[]> = {
  "an uploaded file": [
    ["that is stored", [], (scenario) => upload(scenario)],
    ["that is not stored", ["lost"], (scenario) => scenario.log.uploads.set(file.id, { ...file, isSent: false })],
    ["with another content", ["lost"], (scenario) => upload(scenario, { sha256: "another" })],
    [
      "that was in a deleted message and is gone",
      [],
      (scenario) => {
        deleteMessage(scenario, send(scenario));
        scenario.files.splice(0);
      },
    ],
    [
      "that was never sent and is read by its owner",
      [],
      (scenario) => {
        upload(scenario);
        read(scenario, scenario.ann, file.sha256);
        read(scenario, scenario.bob, undefined);
      },
    ],
    [
      "that was never sent and is read by somebody else",
      ["leak"],
      (scenario) => {
        upload(scenario);
        read(scenario, scenario.bob, file.sha256);
      },
    ],
  ],
  "a message with a file": [
    ["that is stored with it", [], (scenario) => send(scenario)],
    ["that is stored without it", ["lost"], (scenario) => send(scenario, [])],
    [
      "that a device does not have",
      ["incomplete"],
      (scenario) => {
        send(scenario, []).files = [file.id];
      },
    ],
    [
      "that members can read",
      [],
      (scenario) => {
        send(scenario);
        read(scenario, scenario.bob, file.sha256);
        read(scenario, scenario.cid, undefined);
      },
    ],
    [
      "that a member cannot read",
      ["lost"],
      (scenario) => {
        send(scenario);
        read(scenario, scenario.bob, undefined);
      },
    ],
    [
      "that a member reads with another content",
      ["lost"],
      (scenario) => {
        send(scenario);
        read(scenario, scenario.bob, "another");
      },
    ],
    [
      "that a stranger can read",
      ["leak"],
      (scenario) => {
        send(scenario);
        read(scenario, scenario.cid, file.sha256);
      },
    ],
    [
      "that is deleted without it",
      ["lost"],
      (scenario) => {
        const row = send(scenario);
        deleteMessage(scenario, row);
        row.files = [file.id];
        for (const device of [scenario.ann, scenario.bob]) scenario.reconnect(device);
      },
    ],
    [
      "that is forwarded without it",
      ["lost"],
      (scenario) => {
        const { ann, bob } = scenario;
        const original = send(scenario);
        const more = { forwardedFrom: original.id, firstAuthorId: ann.userId };
        const copy = scenario.write(scenario.group, ann, "one", { clientMessageId: "copy", ...more });
        const forwards = { messageId: original.id, firstAuthorId: ann.userId };
        scenario.logSend(copy, "acknowledged", { forwards });
        scenario.respond(ann, copy);
        scenario.push(bob, copy);
      },
    ],
    [
      "that can be read after its deletion",
      ["leak"],
      (scenario) => {
        deleteMessage(scenario, send(scenario));
        read(scenario, scenario.ann, file.sha256);
      },
    ],
  ],
  "an avatar of a user": [
    [
      "that was replaced",
      [],
      ({ log, avatars }) => {
        avatars.set(1, "second");
        log.avatarRequests.push({ ...requested, avatarId: "first" });
        log.avatarRequests.push({ ...requested, avatarId: "second", startedAt: 3, endedAt: 4 });
      },
    ],
    [
      "that was replaced, and is stored again",
      ["lost"],
      ({ log, avatars }) => {
        avatars.set(1, "first");
        log.avatarRequests.push({ ...requested, avatarId: "first" });
        log.avatarRequests.push({ ...requested, avatarId: "second", startedAt: 3, endedAt: 4 });
      },
    ],
    [
      "that was set while another one was set",
      [],
      ({ log, avatars }) => {
        avatars.set(1, "first");
        log.avatarRequests.push({ ...requested, avatarId: "first" });
        log.avatarRequests.push({ ...requested, avatarId: "second" });
      },
    ],
    [
      "that is not stored",
      ["lost"],
      ({ log }) => {
        log.avatarRequests.push({ ...requested, avatarId: "first" });
      },
    ],
    [
      "that may have been removed by a request without an answer",
      [],
      ({ log }) => {
        log.avatarRequests.push({ ...requested, avatarId: "first" });
        log.avatarRequests.push({ ...requested, avatarId: undefined, startedAt: 3, endedAt: 4 });
      },
    ],
    [
      "that its user reads otherwise",
      ["incomplete"],
      ({ log }) => log.avatarsRead.push({ userId: 1, avatarId: "first" }),
    ],
  ],
  "an avatar of a group": [
    [
      "that is stored and delivered",
      [],
      (scenario) => {
        const { ann, bob, group, log } = scenario;
        const row = scenario.systemMessage(ann, "avatarChanged");
        Object.assign(row.event ?? {}, { avatarId: "first" });
        group.avatarId = "first";
        for (const device of [ann, bob]) scenario.push(device, row, "groupAvatar");
        log.avatarRequests.push({ ...requested, groupId: group.id, avatarId: "first" });
      },
    ],
    [
      "that is not stored",
      ["lost"],
      ({ log, group }) => {
        log.avatarRequests.push({ ...requested, groupId: group.id, avatarId: "first" });
      },
    ],
    [
      "that devices do not have",
      ["incomplete"],
      ({ group }) => {
        group.avatarId = "first";
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
