import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { groupOfSix, notMember, pushesTo, roleOf, storedGroup } from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  createGroup,
  findChat,
  groupHistory,
  listMembers,
  numbers,
  participants,
  pushesDuring,
  typeAndText,
} from "./support/scenes.ts";

/* Ownership of groups: transfers, and who becomes the owner when the owner leaves. */

const messenger = useMessenger();

describe("ownership of a group", () => {
  /** Whether the user owns the group, determined without changing it. */
  const owns = async (device: Device, groupId: number) =>
    (await device.requestError("transferOwnership", { groupId, userId: 2 ** 53 - 1 })).code === "NOT_FOUND";

  test("when the owner leaves, the longest-standing member becomes owner and the remaining members are notified of both changes", async () => {
    const [ann, bob, cid] = await participants(messenger(), 2, 2, 2);
    const groupId = await createGroup(ann.device, [bob, cid], "orphaned");
    const all = [...bob.devices, ...cid.devices];
    const received = await pushesDuring(all, () => ann.device.request("leaveGroup", { groupId }));
    for (const pushes of received) {
      expect(pushes.map(typeAndText)).toEqual([
        ["leaveGroup", `${ann.firstName} left the group`],
        ["transferOwnership", `${ann.firstName} handed the group over to ${bob.firstName}`],
      ]);
      expect(pushes.map(({ params }) => params.item.version)).toEqual([4, 5]);
      expect(pushes[1]?.params.item.event).toEqual({
        kind: "ownershipTransferred",
        byUserId: ann.id,
        userId: bob.id,
      });
    }
    expect([await owns(bob.device, groupId), await owns(cid.device, groupId)]).toEqual([true, false]);
  });

  test("an owner who leaves receives the leave on other devices and nothing afterwards", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "behind my back");
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect(own).toEqual([]);
    expect(second?.map(({ type }) => type)).toEqual(["leaveGroup"]);
  });

  test("when the owner leaves, an admin becomes owner before an older member", async () => {
    const [ann, bob, cid] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(ann.device, [bob, cid], "with an admin");
    // Ann leaves and is added again, so that Bob is the longest-standing member; then Cid becomes owner, transfers to Ann and stays admin.
    await ann.device.request("transferOwnership", { groupId, userId: cid.id });
    await ann.device.request("leaveGroup", { groupId });
    await cid.device.request("addUserInGroup", { groupId, userId: ann.id });
    await cid.device.request("transferOwnership", { groupId, userId: ann.id });
    const [received] = await pushesDuring([bob.device], () => ann.device.request("leaveGroup", { groupId }));
    expect(received?.map(({ params }) => params.item.event)).toEqual([
      { kind: "memberLeft", byUserId: ann.id },
      { kind: "ownershipTransferred", byUserId: ann.id, userId: cid.id },
    ]);
    expect([await owns(bob.device, groupId), await owns(cid.device, groupId)]).toEqual([false, true]);
  });

  test("the group ends when its last member leaves", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "ending");
    await bob.device.request("leaveGroup", { groupId });
    const [own, second] = await pushesDuring(ann.devices, () => ann.device.request("leaveGroup", { groupId }));
    expect([own, second?.map(({ type }) => type)]).toEqual([[], ["leaveGroup"]]);
    for (const { device } of [ann, bob]) {
      expect(await device.requestError("messageInGroup", { groupId, content: "anyone?" })).toMatchObject(notMember);
      expect(await device.requestError("addUserInGroup", { groupId, userId: bob.id })).toMatchObject(notMember);
      expect(await device.requestError("getlatestMessageGroup", { groupId, limit: 1, page: 1 })).toMatchObject(
        notMember,
      );
      expect(await device.requestError("leaveGroup", { groupId })).toMatchObject(notMember);
      expect(await findChat(device, groupId)).toBeUndefined();
    }
  });

  test("after a transfer only the new owner can transfer ownership again", async () => {
    const [ann, bob, cid, stranger] = await participants(messenger(), 2, 1, 1, 1);
    const groupId = await createGroup(ann.device, [bob, cid], "handed over");
    const forbidden = { code: "FORBIDDEN" };
    const transfer = (by: { device: Device }, to: { id: number }) =>
      by.device.requestError("transferOwnership", { groupId, userId: to.id });

    expect(await transfer(bob, cid)).toMatchObject(forbidden);
    expect(await transfer(bob, bob)).toMatchObject(forbidden);
    expect(await transfer(stranger, bob)).toMatchObject(notMember);
    expect(await transfer(ann, stranger)).toMatchObject({ code: "NOT_FOUND" });
    expect(await transfer(ann, { id: 2 ** 53 - 1 })).toMatchObject({ code: "NOT_FOUND" });
    expect(await transfer(ann, ann)).toMatchObject({ code: "CONFLICT" });
    expect(await findChat(ann.device, groupId)).toMatchObject({ chatVersion: 3 });

    const all = [...ann.devices, bob.device, cid.device];
    const [own, ...others] = await pushesDuring(all, () =>
      ann.device.request("transferOwnership", { groupId, userId: bob.id }),
    );
    expect(own).toEqual([]);
    for (const pushes of others) {
      expect(pushes.map(typeAndText)).toEqual([
        ["transferOwnership", `${ann.firstName} handed the group over to ${bob.firstName}`],
      ]);
    }
    expect(await transfer(ann, cid)).toMatchObject(forbidden);
    await bob.device.request("transferOwnership", { groupId, userId: cid.id });
  });

  test("two members leaving at once, one of them the owner, leave exactly one owner", async () => {
    for (let round = 0; round < 5; round++) {
      const people = await participants(messenger(), 1, 1, 1);
      const groupId = await createGroup(people[0].device, people.slice(1), "run");
      await Promise.all(people.slice(0, 2).map(({ device }) => device.request("leaveGroup", { groupId })));
      expect(await owns(people[2].device, groupId)).toBe(true);
      const history = await groupHistory(people[2].device, groupId);
      expect(history.map(({ seq }) => seq).reverse()).toEqual(numbers(1, history.length));
    }
  });
});

describe("an owner", () => {
  test("who transfers ownership becomes an admin, and the new owner has the owner's rights", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    await people.owner.device.request("transferOwnership", { groupId, userId: idOf("member") });
    const rows = await listMembers(people.owner.device, groupId);
    expect(rows.filter(({ role }) => role === "owner").map(({ userId }) => userId)).toEqual([idOf("member")]);
    expect(await roleOf(people.owner.device, groupId, idOf("owner"))).toBe("admin");
    expect(await people.owner.device.requestError("deleteGroup", { groupId })).toMatchObject({ code: "FORBIDDEN" });
    await people.member.device.request("removeUserFromGroup", { groupId, userId: idOf("owner") });
    await people.member.device.request("deleteGroup", { groupId });
  });

  test("who leaves is succeeded by the oldest admin and receives nothing afterwards", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    const { params } = await people.owner.device.request("leaveGroup", { groupId });
    const left = { type: "leaveGroup", params: { item: { ...params.item } } };
    const handedOver = {
      type: "transferOwnership",
      params: {
        message: `${people.owner.firstName} handed the group over to ${people.secondAdmin.firstName}`,
        item: {
          version: params.item.version + 1,
          event: { kind: "ownershipTransferred", byUserId: idOf("owner"), userId: idOf("secondAdmin") },
        },
      },
    };
    for (const each of [people.admin, people.secondAdmin, people.member, people.secondMember]) {
      expect(await pushesTo(each.device)).toMatchObject([left, handedOver]);
    }
    expect(await pushesTo(people.owner.otherDevice)).toMatchObject([left]);
    expect(await pushesTo(people.owner.device)).toEqual([]);
    expect(await roleOf(people.admin.device, groupId, idOf("secondAdmin"))).toBe("owner");
  });

  test("who leaves a group without admins is succeeded by the longest-standing member; the last one to leave ends the group", async () => {
    const [owner, first, second] = await participants(messenger(), 2, 2, 2);
    const groupId = await createGroup(owner.device, [first, second]);
    await owner.device.request("leaveGroup", { groupId });
    expect((await listMembers(second.device, groupId)).map(({ userId, role }) => [userId, role])).toEqual([
      [first.id, "owner"],
      [second.id, "member"],
    ]);
    await first.device.request("leaveGroup", { groupId });
    expect(await roleOf(second.device, groupId, second.id)).toBe("owner");
    await second.device.request("leaveGroup", { groupId });
    expect((await storedGroup(messenger(), groupId)).chat).toMatchObject([{ deleted_at: expect.any(Date) }]);
    expect(await second.device.requestError("messageInGroup", { groupId, content: "echo" })).toMatchObject(notMember);
  });
});
