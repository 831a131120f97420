import { expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { annAndBobInDialog, block, type Participant, participant, pushesOfType, unblock } from "./support/scenes.ts";

/* What HTTP requests cause to be pushed: changed names and blocks. */

const messenger = useMessenger();

const rename = async ({ token }: Participant, names: object) => {
  expect((await messenger().http("PATCH", "/users/me", { token, body: names })).status).toBe(200);
};

test("a changed name is pushed to own devices and to people who share a chat, not to strangers", async () => {
  const { ann, bob } = await annAndBobInDialog(messenger());
  const stranger = await participant(messenger());
  await rename(ann, { firstName: "Anna", lastName: "Star" });
  const item = { userId: ann.id, firstName: "Anna", lastName: "Star" };
  for (const device of [...ann.devices, ...bob.devices]) {
    expect(await device.nextPush("profile")).toMatchObject({ params: { message: null, senderName: null, item } });
  }
  expect(await pushesOfType(stranger.device, "profile")).toEqual([]);
});

test("a change that leaves the name as it is pushes nothing", async () => {
  const { ann } = await annAndBobInDialog(messenger());
  await rename(ann, { firstName: ann.firstName });
  expect(await pushesOfType(ann.device, "profile")).toEqual([]);
});

test.each(["blocking", "blocked"])("a changed name of the %s user is not pushed to the other one", async (who) => {
  const { ann, bob } = await annAndBobInDialog(messenger());
  await block(messenger(), ann, bob);
  const [renamed, other] = who === "blocking" ? [ann, bob] : [bob, ann];
  await rename(renamed, { firstName: "Somebody" });
  await renamed.device.nextPush("profile");
  expect(await pushesOfType(other.device, "profile")).toEqual([]);
});

test("a block and its end, also when repeated, are pushed to the devices of the blocking user only", async () => {
  const { ann, bob } = await annAndBobInDialog(messenger());
  for (let time = 0; time < 2; time++) await block(messenger(), ann, bob);
  for (let time = 0; time < 2; time++) await unblock(messenger(), ann, bob);
  for (const device of ann.devices) {
    const items = (await pushesOfType(device, "block")).map(({ params }) => params.item);
    expect(items).toEqual([true, true, false, false].map((blocked) => ({ userId: bob.id, blocked })));
  }
  expect(await pushesOfType(bob.device, "block")).toEqual([]);
});
