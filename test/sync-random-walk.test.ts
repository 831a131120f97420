import { describe, expect, jest, test } from "@jest/globals";
import { Random } from "./chaos/random.ts";
import type { Device } from "./support/device.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";
import { Replica } from "./support/replica.ts";
import { createGroup } from "./support/scenes.ts";
import { syncWith } from "./support/sync.ts";

/* A random walk: what devices build from answers and pushes equals what a new device gets. WALK_SEED repeats one. */

const messenger = useMessenger();

// Many rounds, possibly on a busy machine.
jest.setTimeout(90_000);

/** A participant of the random walk: the person, the device while connected, and its state. */
interface Walker {
  person: TestUser;
  device: Device | undefined;
  replica: Replica;
}

/** Applies received frames and syncs each chat with a gap alone, until there is none. */
async function closeGaps({ device, replica }: Walker): Promise<void> {
  if (!device) return;
  await device.settle();
  replica.applyFrames(device);
  while (replica.chatsWithGap.size > 0) {
    for (const chatId of [...replica.chatsWithGap]) {
      replica.chatsWithGap.delete(chatId);
      const known = replica.known.filter(([id]) => id === chatId);
      await syncWith(device, known, { range: [chatId, chatId] });
    }
    replica.applyFrames(device);
  }
}

/** Reconnects after an absence and syncs everything. */
async function reconnect(walker: Walker): Promise<void> {
  const { person, replica } = walker;
  const device = await person.connect();
  walker.device = device;
  replica.startNewSocket();
  for (let more = true; more; ) {
    more = (await syncWith(device, replica.known)).hasMore;
    replica.applyFrames(device);
  }
}

/** Sends a random request; many are rejected on purpose. */
async function actAtRandom(
  random: Random,
  { actors, walkers }: { actors: readonly Walker[]; walkers: readonly Walker[] },
  scene: { groups: number[]; messages: number[] },
): Promise<void> {
  const walker = random.pick(actors);
  const other = random.pick(walkers)?.person;
  const groupId = random.pick(scene.groups) ?? 0;
  const messageId = random.pick(scene.messages.slice(-30)) ?? 1;
  if (!walker || !other) return;
  const { device, replica } = walker;
  if (!device) return reconnect(walker);
  const request = async (type: string, params: object) => {
    const answer = await device.exchange({ type, params });
    expect(["INTERNAL", "UNAVAILABLE", "VALIDATION"]).not.toContain(answer.code);
    if (answer.params?.item?.messageId) scene.messages.push(answer.params.item.messageId);
    return answer;
  };
  const content = `text ${scene.messages.length}`;
  const [chatId, chat] = random.pick([...replica.chats]) ?? [groupId, undefined];
  const actions: [weight: number, () => Promise<unknown>][] = [
    [8, () => request("messageInGroup", { groupId, content, ...(random.chance(0.2) && { replyTo: messageId }) })],
    [6, () => request("privateMessage", { receiverId: other.id, content })],
    [5, () => request("editMessage", { messageId, content: `${content}, edited` })],
    [3, () => request("deleteMessage", { messageId })],
    [4, () => request("addUserInGroup", { groupId, userId: other.id })],
    [2, () => request("removeUserFromGroup", { groupId, userId: other.id })],
    [1, () => request("leaveGroup", { groupId })],
    [2, () => request("renameGroup", { groupId, groupName: `name ${scene.messages.length}` })],
    [2, () => request("setMemberRole", { groupId, userId: other.id, role: random.pick(["admin", "member"]) })],
    [1, () => request("transferOwnership", { groupId, userId: other.id })],
    [5, () => request("markRead", { chatId, seq: random.between(1, (chat?.lastSeq ?? 1) + 1) })],
    [2, () => request("clearDialog", { receiverId: other.id })],
    [1, async () => scene.groups.push((await request("newGroup", { groupName: "another" })).params.item.chatId)],
    [
      4,
      async () => {
        walker.device = undefined;
        replica.applyFrames(device);
        await device.close();
      },
    ],
  ];
  const choices = actions.flatMap(([weight, action]) => Array<typeof action>(weight).fill(action));
  await random.pick(choices)?.();
}

describe("a random walk", () => {
  test("the state built from answers and pushes equals what a new device of the same user gets", async () => {
    const seed = Number(process.env.WALK_SEED) || Math.floor(Math.random() * 2 ** 31);
    const random = new Random(seed);
    const walkers: Walker[] = [];
    for (const name of ["Ann", "Bob", "Carl"]) {
      const person = await messenger().person(name);
      walkers.push({ person, device: await person.connect(), replica: new Replica(person.id) });
    }
    const [ann, bob, carl] = walkers;
    if (!ann?.device || !bob?.device || !carl) throw new Error("three walkers");
    const groups = [
      await createGroup(ann.device, [bob.person, carl.person]),
      await createGroup(bob.device, [ann.person]),
    ];
    const scene = { groups, messages: [] };
    let actions = 0;
    try {
      while (actions < 150) {
        // Either one walker acts, or all of them at the same time.
        const batches = random.chance(0.5) ? [walkers] : walkers.map((walker) => [walker]);
        await Promise.all(batches.map((actors) => actAtRandom(random, { actors, walkers }, scene)));
        actions += batches.length;
        for (const walker of walkers) await closeGaps(walker);
        for (const { person, device, replica } of walkers) {
          if (!device) continue;
          const newDevice = await person.connect();
          const expected = new Replica(person.id);
          for (let more = true; more; ) {
            const answer = await syncWith(newDevice, expected.known);
            expected.applySync(answer);
            more = answer.hasMore;
          }
          await newDevice.close();
          expect(replica.state).toEqual(expected.state);
        }
      }
    } catch (error) {
      throw new Error(`WALK_SEED=${seed}, after ${actions} actions: ${error instanceof Error ? error.message : error}`);
    }
  });
});
