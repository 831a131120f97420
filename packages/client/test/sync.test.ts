import { expect, test } from "@jest/globals";
import { Scene, seqsOf } from "./support/scene.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("messages of a chat that come in two sync answers are all shown", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 3);
  const reader = await scene.loggedIn(1);
  const writer = await scene.loggedIn(2);
  const timeline = reader.run((messenger) => messenger.dialogWith(2).timeline());
  await scene.time.advance(100);
  reader.disconnect("lose");
  writer.run((messenger) => {
    for (const n of range(1, 8)) messenger.dialogWith(1).send(`new ${n}`);
  });
  scene.server.refusedUpgrades = 3;
  await scene.time.advance(30_000);
  expect(seqsOf(timeline)).toEqual(range(1, 11));
});

test("a chat of which a sync answer had only a part is complete after a restart", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 3);
  const disk = scene.disk();
  const reader = await scene.loggedIn(1, disk);
  const writer = await scene.loggedIn(2);
  reader.disconnect("lose");
  writer.run((messenger) => {
    for (const n of range(1, 8)) messenger.dialogWith(1).send(`new ${n}`);
  });
  scene.server.refusedUpgrades = 3;
  await scene.time.advance(500);
  scene.server.faults = [];
  // The first answer arrives, the second does not.
  const { limits } = scene.server;
  limits.syncMessages = 6;
  for (let waited = 0; waited < 30_000; waited += 10) {
    await scene.time.advance(10);
    const unread = reader.messenger.chats.value[0]?.unread;
    if (unread !== undefined && unread > 2) {
      scene.server.faults = Array(20).fill("lostRequest");
      break;
    }
  }
  await scene.time.advance(2000);
  reader.kill();
  scene.server.faults = [];
  const restarted = await scene.resumed(disk);
  const timeline = restarted.run((messenger) => messenger.dialogWith(2).timeline());
  await scene.time.advance(5000);
  expect(seqsOf(timeline)).toEqual(range(1, 11));
});

test("a change that a push brings before the answer to a sync that contains it is reported once", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 3);
  const reader = await scene.loggedIn(1);
  const writer = await scene.loggedIn(2);
  const versions: (number | undefined)[] = [];
  void reader.run(async (messenger) => {
    for await (const { message } of messenger.events()) versions.push(message?.version);
  });
  scene.server.latencyMs = [100, 100];
  const { push } = reader;
  // A version is missing, so a sync begins; before the server reads it, it pushes the missing one.
  push({
    type: "editMessage",
    chatId: 1,
    messageId: 3,
    seq: 3,
    version: 5,
    senderId: 2,
    senderName: "Bob",
    senderLastName: null,
  });
  writer.run((messenger) => messenger.dialogWith(1).send("new"));
  await scene.time.advance(5000);
  expect(versions).toEqual([4]);
});

test("a push before the first sync answer of a connection is not applied: it may belong to another epoch", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 3);
  const program = await scene.loggedIn(1);
  const timeline = program.run((messenger) => messenger.dialogWith(2).timeline());
  await scene.time.advance(100);
  scene.server.latencyMs = [100, 100];
  program.disconnect("lose");
  while (program.messenger.connection.value.state !== "syncing") await scene.time.advance(1);
  const sender = { senderId: 2, senderName: "Bob", senderLastName: null };
  program.push({ type: "privateMessage", chatId: 1, messageId: 9, seq: 4, version: 4, message: "", ...sender });
  await scene.time.advance(150);
  expect(program.messenger.connection.value.state).toBe("syncing");
  expect(seqsOf(timeline)).toEqual([1, 2, 3]);
});

test("the preview in a reply follows the edit of the original", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 2);
  const program = await scene.loggedIn(1);
  const chat = program.run((messenger) => messenger.dialogWith(2));
  const timeline = program.run(() => chat.timeline());
  program.run(() => chat.send("reply", { replyTo: 1 }));
  await scene.time.advance(1000);
  program.run(() => void chat.edit(1, "edited"));
  await scene.time.advance(1000);
  expect(timeline.value.messages.at(-1)?.replyTo?.preview).toBe("edited");
});
