import { expect, test } from "@jest/globals";
import type { Chat, Timeline } from "../src/index.ts";
import type { ModelProgram } from "./support/model-program.ts";
import { Scene } from "./support/scene.ts";

/* Messages that are forwarded from one chat to another. */

/** Two of three members of a group with one message, and the timelines of the group and of their dialog on the first one's device. */
async function groupAndDialog() {
  const scene = new Scene();
  scene.server.fill([1, 2, 3], 1);
  const programs = [await scene.loggedIn(1), await scene.loggedIn(2)] as const;
  const [program] = programs as readonly [ModelProgram, ModelProgram];
  const group = program.run((messenger) => messenger.chat(1)) as Chat;
  const dialog = program.run((messenger) => messenger.dialogWith(2)) as Chat;
  const source = program.run(() => group.timeline()) as Timeline;
  const target = program.run(() => dialog.timeline()) as Timeline;
  await scene.time.advance(1000);
  const [message] = source.value.messages;
  if (!message) throw new Error("the group has no message");
  const shown = () =>
    target.value.messages.map(({ state, text, forwarded, isMine }) => [state, text, forwarded?.senderId, isMine]);
  return { scene, program, dialog, message, shown };
}

test("a forwarded message is shown at once and keeps its author when it is sent", async () => {
  const { scene, program, dialog, message, shown } = await groupAndDialog();
  const sent = program.run(() => dialog.forward(message));
  expect(shown()).toEqual([["queued", message.text, message.senderId, true]]);
  await scene.time.advance(1000);
  expect(shown()).toEqual([["sent", message.text, message.senderId, true]]);
  expect(sent).toMatchObject({ state: "sent", text: message.text, seq: 1 });
});

test("a message that was forwarded without a connection, and whose answer is lost, is stored once", async () => {
  const { scene, program, dialog, message, shown } = await groupAndDialog();
  program.disconnect("lose");
  scene.server.refusedUpgrades = 2;
  program.run(() => dialog.forward(message));
  program.run(() => dialog.send("after it"));
  scene.server.faults.push("lostAnswer");
  await scene.time.advance(120_000);
  expect(shown()).toEqual([
    ["sent", message.text, message.senderId, true],
    ["sent", "after it", undefined, true],
  ]);
});

test("a message that cannot be forwarded any more is shown as failed", async () => {
  const { scene, program, dialog, message, shown } = await groupAndDialog();
  const stored = scene.server.data.chats.get(1)?.messages[0];
  if (stored) stored.deletedAt = new Date(0).toISOString();
  const failed = program.run(() => dialog.forward(message));
  await scene.time.advance(1000);
  expect(shown()).toEqual([["failed", message.text, message.senderId, true]]);
  expect(failed.error).toMatchObject({ code: "FORBIDDEN" });
});

test("a message that is not sent yet cannot be forwarded", async () => {
  const { program, dialog } = await groupAndDialog();
  program.disconnect("lose");
  program.run(() => dialog.send("later"));
  const [unsent] = dialog.timeline().value.messages;
  expect(unsent).toBeDefined();
  expect(() => unsent && dialog.forward(unsent)).toThrow("not sent yet");
});
