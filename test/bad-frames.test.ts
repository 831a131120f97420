import { describe, expect, test } from "@jest/globals";
import { registry } from "../src/ws/registry.ts";
import {
  type BadFrame,
  badFramesOf,
  badRequestIds,
  expectWellFormedError,
  fieldsOf,
  unknownTypes,
  unreadable,
  wrongInField,
  wrongInType,
} from "./support/bad-frames.ts";
import type { Device } from "./support/device.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";
import { listChats, participant, sendPrivately } from "./support/scenes.ts";

/* Invalid frames: each gets one error that names the field and the rule, writes no row, and leaves the socket working. */

const messenger = useMessenger();

/** Few enough that the socket is not closed for malformed frames. */
const badFramesPerSocket = 15;

/** The answers to these texts before the answer to a valid request that is sent after them. */
async function answersTo(device: Device, texts: readonly string[]) {
  const before = device.frames.length;
  for (const text of texts) device.send(text);
  await device.settle();
  return device.frames
    .slice(before)
    .filter((frame) => !frame.params?.isBroadcast)
    .slice(0, -1);
}

/** Sends the frames of a table from several sockets of one person and compares each answer. */
async function expectErrors(sender: TestUser, badFrames: readonly BadFrame[]): Promise<void> {
  for (let start = 0; start < badFrames.length; start += badFramesPerSocket) {
    const batch = badFrames.slice(start, start + badFramesPerSocket);
    const device = await sender.connect();
    const answers = await answersTo(
      device,
      batch.map(({ text }) => text),
    );
    const expected = batch.map(({ text, type, code, message, requestId }) => ({
      text: text.slice(0, 200),
      answer: {
        error: true,
        type,
        code,
        message: expect.stringMatching(message),
        ...(requestId !== undefined && { requestId }),
        ...(code === "VALIDATION" &&
          !text.includes("__proto__") && { field: expect.stringMatching(/^(params|requestId)\b/) }),
      },
    }));
    expect(answers.map((answer, index) => ({ text: batch[index]?.text.slice(0, 200), answer }))).toEqual(expected);
    for (const answer of answers) expectWellFormedError(answer);
    await device.close();
  }
}

describe("an invalid frame", () => {
  test("that is no JSON object gets one error, and the socket stays open", async () => {
    await expectErrors(await messenger().person(), unreadable);
  });

  test("of an unknown type, also a name that every object inherits, gets UNKNOWN_TYPE", async () => {
    await expectErrors(await messenger().person(), unknownTypes);
  });

  test("of an unknown type with an invalid requestId gets an error about the requestId", async () => {
    await expectErrors(
      await messenger().person(),
      badRequestIds.map(({ text, message }) => ({
        text: `{"type":"nosuchtype","requestId":${text}}`,
        type: "processor",
        code: "VALIDATION",
        message,
      })),
    );
  });

  for (const messageType of registry.values()) {
    test(`of type ${messageType.type} gets an error that names field and rule, and writes nothing`, async () => {
      const sender = await participant(messenger());
      const { device } = sender;
      await sendPrivately(device, sender.id, "the only message");
      const before = await listChats(device);
      await expectErrors(sender, badFramesOf(messageType));
      expect(await listChats(device)).toEqual(before);
      expect(before).toHaveLength(1);
      expect(device.pushes()).toEqual([]);
    });
  }

  test("has at least one fault in this table for every field of every type", () => {
    const fields = [...registry.values()].flatMap((messageType) =>
      fieldsOf(messageType).map((field) => ({ type: messageType.type, ...field })),
    );
    expect(fields.filter(({ name, jsonType }) => !wrongInField[name] && !wrongInType[jsonType])).toEqual([]);
  });
});

describe("additional content of a frame", () => {
  test("a requestId is returned in the answer, also in errors and for unknown types", async () => {
    const { device } = await participant(messenger());
    const requestIds = [
      "a",
      " ",
      "r".repeat(64),
      "0",
      "7",
      "постой 👋",
      "line\nbreak",
      0,
      -1,
      7,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
    ];
    for (const requestId of requestIds) {
      const answers = await answersTo(
        device,
        [
          { type: "listLastMessage", params: { limit: 1, page: 1 }, requestId },
          { type: "leaveGroup", params: { groupId: 2 ** 53 - 1 }, requestId },
        ].map((frame) => JSON.stringify(frame)),
      );
      expect(answers).toEqual([
        expect.objectContaining({ success: true, requestId }),
        expect.objectContaining({ code: "NOT_MEMBER", requestId }),
      ]);
      const [unknown] = await answersTo((await participant(messenger())).device, [
        JSON.stringify({ type: "nosuchtype", requestId }),
      ]);
      expect(unknown).toMatchObject({ code: "UNKNOWN_TYPE", requestId });
    }
  });

  test("no requestId is returned for a frame without one", async () => {
    const { device } = await participant(messenger());
    const answers = await answersTo(device, [
      '{"type":"listLastMessage","params":{"limit":1,"page":1}}',
      '{"type":"leaveGroup","params":{"groupId":1}}',
      '{"type":"nosuchtype"}',
    ]);
    expect(answers).toHaveLength(3);
    for (const answer of answers) expect(answer).not.toHaveProperty("requestId");
  });

  test("unknown keys are ignored, in the frame and in its params, at any depth", async () => {
    const { device } = await participant(messenger());
    const deep = `${"[".repeat(8000)}${"]".repeat(8000)}`;
    const wide = `{${Array.from({ length: 500 }, (_, index) => `"key${index}":null`).join()}}`;
    const texts = ["1", '{"a":{"b":[]}}', '"\\u0000\\ud800"', wide, deep].map(
      (extra) =>
        `{"v":2,"extra":${extra},"type":"newGroup","params":{"groupName":"n","constructor":1,"extra":${extra}},"requestId":1}`,
    );
    const answers = await answersTo(device, texts);
    expect(answers).toEqual(
      texts.map(() => expect.objectContaining({ type: "newGroup", success: true, requestId: 1 })),
    );
  });

  test("a forbidden key is found at any depth", async () => {
    const sender = await messenger().person();
    const deep = `${'[{"a":'.repeat(1500)}{"__proto__":1}${"}]".repeat(1500)}`;
    await expectErrors(sender, [
      {
        text: `{"type":"newGroup","params":{"groupName":"n","extra":${deep}}}`,
        type: "newGroup",
        code: "VALIDATION",
        message: /"__proto__" is not allowed/,
      },
    ]);
  });
});

test("a frame of exactly 32 KiB is accepted", async () => {
  const { device } = await participant(messenger());
  const frame = JSON.stringify({ type: "listLastMessage", params: { limit: 1, page: 1 }, padding: "" });
  const [answer] = await answersTo(device, [frame.replace('""', `"${"x".repeat(32 * 1024 - frame.length)}"`)]);
  expect(answer).toMatchObject({ type: "listLastMessage", success: true });
});
