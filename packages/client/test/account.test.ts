import { expect, test } from "@jest/globals";
import { LoadedList } from "../src/loaded-list.ts";
import type { Member } from "../src/members.ts";
import { Scene } from "./support/scene.ts";
import { settled } from "./support/virtual-time.ts";

test("after a restore a message for a user is not sent to the chat that has the dialog's old id", async () => {
  const scene = new Scene();
  scene.server.backUp();
  const program = await scene.loggedIn(1);
  const dialog = program.run((messenger) => messenger.dialogWith(2));
  program.run(() => dialog.send("hello"));
  await scene.time.advance(1000);
  expect(dialog.id).toBe(1);
  scene.server.restore({ reusesIds: true });
  scene.server.fill([1, 2, 3], 1);
  await scene.time.advance(10_000);
  expect(dialog.id).toBeUndefined();
  program.run(() => dialog.send("secret"));
  await scene.time.advance(5000);
  expect(scene.server.data.chats.get(1)?.messages.map(({ text }) => text)).toEqual(["old 1"]);
});

test("names that cannot be read after an absence are read later", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 1);
  const program = await scene.loggedIn(1);
  program.disconnect("lose");
  scene.server.renameUser(2, "Robert");
  while (program.messenger.connection.value.state !== "syncing") await scene.time.advance(1);
  scene.server.httpFaults = ["unavailable", "lostRequest"];
  await scene.time.advance(30_000);
  expect(scene.server.httpFaults).toEqual([]);
  expect(program.messenger.chats.value[0]?.title).toBe("Robert");
});

test("members that change while they are read are read again", async () => {
  const answers: ((members: Member[]) => void)[] = [];
  const members = new LoadedList<Member>(
    () => new Promise((resolve) => answers.push(resolve)),
    () => new Promise(() => {}),
  );
  members.subscribe(() => {});
  members.invalidate();
  answers[0]?.([{ userId: 1, firstName: "Ann", lastName: null }]);
  await settled();
  answers[1]?.([]);
  await settled();
  expect(members.value).toEqual([]);
});

test("pins that the server fails to give are read again on the same connection", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 1);
  const program = await scene.loggedIn(1);
  await scene.time.advance(1000);
  const dialog = program.run((messenger) => messenger.dialogWith(2));
  const messageId = dialog.summary.value.lastMessage?.messageId ?? 0;
  program.run(() => void dialog.pin(messageId, true));
  await scene.time.advance(1000);
  scene.server.faults = ["internal"];
  program.run(() => dialog.pinned.subscribe(() => {}));
  await scene.time.advance(1000);
  expect(scene.server.faults).toEqual([]);
  expect(dialog.pinned.value).toEqual([]);
  await scene.time.advance(10_000);
  expect(dialog.pinned.value.map((message) => message.messageId)).toEqual([messageId]);
});
