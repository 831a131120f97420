import { expect, test } from "@jest/globals";
import type { Chat, Timeline } from "../src/index.ts";
import type { ModelProgram } from "./support/model-program.ts";
import { Scene } from "./support/scene.ts";

/* Reactions and pins as a device shows them: which are the user's own follows from what it has received. */

/** Three members of a group, of whom the first has two devices, and its only message. The server names one person each. */
async function group() {
  const scene = new Scene();
  scene.server.fill([1, 2, 3], 1);
  const programs = [await scene.loggedIn(1), await scene.loggedIn(1), await scene.loggedIn(2)] as const;
  const chats = programs.map((program) => program.run((messenger) => messenger.chat(1)));
  const timelines = programs.map((program, index) => program.run(() => (chats[index] as Chat).timeline()));
  const messageId = scene.server.data.chats.get(1)?.messages[0]?.id ?? 0;
  const act = async (index: number, work: (chat: Chat) => Promise<void>) => {
    (programs[index] as ModelProgram).run(() => void work(chats[index] as Chat).catch(() => {}));
    await scene.time.advance(1000);
  };
  return {
    scene,
    programs,
    chats,
    act,
    react: (index: number, emoji: string, on: boolean) => act(index, (chat) => chat.react(messageId, emoji, on)),
    pin: (index: number, on: boolean) => act(index, (chat) => chat.pin(messageId, on)),
    /** The emoji and counts that a device shows, and which are the user's own. */
    shown: (index: number) =>
      (timelines[index] as Timeline).value.messages[0]?.reactions?.map(({ emoji, count, mine }) => [
        emoji,
        count,
        mine,
      ]),
  };
}

test("an own reaction that a push does not name stays marked until it is removed, on every device", async () => {
  const { react, shown } = await group();
  await react(2, "👍", true);
  await react(0, "👍", true);
  await react(2, "🎉", true);
  for (const index of [0, 1]) {
    expect(shown(index)).toEqual([
      ["👍", 2, true],
      ["🎉", 1, undefined],
    ]);
  }
  expect(shown(2)).toEqual([
    ["👍", 2, true],
    ["🎉", 1, true],
  ]);
  await react(1, "👍", false);
  for (const index of [0, 1]) expect(shown(index)?.[0]).toEqual(["👍", 1, undefined]);
});

test("a reaction that was wanted without a connection is sent when there is one", async () => {
  const { scene, programs, react, shown } = await group();
  programs[0].disconnect("lose");
  scene.server.refusedUpgrades = 2;
  await react(0, "👍", true);
  await react(0, "👍", false);
  await react(0, "🎉", true);
  await scene.time.advance(60_000);
  expect(shown(2)).toEqual([["🎉", 1, undefined]]);
});

test("the list of pinned messages follows pins and changes while somebody subscribes", async () => {
  const { scene, chats, pin, react } = await group();
  const seen: string[] = [];
  chats[1]?.pinned.subscribe((messages) =>
    seen.push(messages.map(({ text, reactions }) => `${text} ${reactions?.length ?? 0}`).join()),
  );
  await scene.time.advance(1000);
  await pin(0, true);
  await react(2, "👍", true);
  await pin(0, false);
  expect(seen).toEqual(["", "old 1 0", "old 1 1", ""]);
});
