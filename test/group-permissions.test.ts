import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { type GroupRole, groupOfSix, notMember, pushesTo, storedGroup } from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, listMembers, participant, participants, sendPrivately, unknownId } from "./support/scenes.ts";

/* Groups: who is listed, who may do what, and how many may join. */

const messenger = useMessenger();

describe("the list of members", () => {
  test("is paged and ordered by role, then by time of joining", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    const rows = await listMembers(people.member.device, groupId);
    expect(rows.map(({ userId, role }) => ({ userId, role }))).toEqual([
      { userId: idOf("owner"), role: "owner" },
      { userId: idOf("secondAdmin"), role: "admin" },
      { userId: idOf("admin"), role: "admin" },
      { userId: idOf("member"), role: "member" },
      { userId: idOf("secondMember"), role: "member" },
    ]);
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual(["firstName", "joinedAt", "lastName", "role", "userId"]);
      expect(Math.abs(Date.now() - Date.parse(row.joinedAt))).toBeLessThan(60_000);
    }
    expect(rows[0]).toMatchObject({ firstName: people.owner.firstName, lastName: null });
    for (const limit of [1, 2, 3, 5]) {
      const paged = [];
      for (let page = 1; page <= Math.ceil(5 / limit) + 1; page++) {
        paged.push(...(await people.admin.device.request("listGroupMembers", { groupId, limit, page })).params.data);
      }
      expect(paged).toEqual(rows);
    }
  });

  test("returns the same error to a stranger, for an unknown group and for a dialog", async () => {
    const { groupId, people, idOf } = await groupOfSix(messenger());
    const dialog = await sendPrivately(people.owner.device, idOf("admin"), "hi");
    const list = (device: Device, id: number) =>
      device.sendRaw({ type: "listGroupMembers", params: { groupId: id, limit: 5, page: 1 } });
    const answers = [
      await list(people.stranger.device, groupId),
      await list(people.stranger.device, unknownId),
      await list(people.owner.device, dialog.chatId),
    ];
    expect(answers[0]).toEqual({ error: true, type: "listGroupMembers", ...notMember });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});

describe("permissions", () => {
  type Outcomes = Partial<
    Record<GroupRole, "done" | "NOT_MEMBER" | "FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "VALIDATION">
  >;
  /** A request, its target, and the outcome for each role that sends it. */
  type Attempt = [what: string, target: GroupRole | "nobody" | undefined, more: object, outcomes: Outcomes];

  const ownerOnly: Outcomes = { owner: "done", admin: "FORBIDDEN", member: "FORBIDDEN", stranger: "NOT_MEMBER" };
  const adminsToo: Outcomes = { ...ownerOnly, admin: "done" };
  const [admin, member] = [{ role: "admin" }, { role: "member" }];

  test.each<[type: string, attempts: Attempt[]]>([
    ["renameGroup", [["the name", undefined, { groupName: "another name" }, adminsToo]]],
    [
      "removeUserFromGroup",
      [
        ["a member", "secondMember", {}, adminsToo],
        ["an admin", "secondAdmin", {}, ownerOnly],
        ["the owner", "owner", {}, { owner: "FORBIDDEN", admin: "FORBIDDEN", member: "FORBIDDEN" }],
        ["oneself as an admin", "admin", {}, { admin: "FORBIDDEN" }],
        ["oneself as a member", "member", {}, { member: "FORBIDDEN" }],
        [
          "a stranger",
          "stranger",
          {},
          { owner: "NOT_FOUND", admin: "NOT_FOUND", member: "FORBIDDEN", stranger: "NOT_MEMBER" },
        ],
        ["an unknown user", "nobody", {}, { owner: "NOT_FOUND", admin: "NOT_FOUND" }],
      ],
    ],
    [
      "setMemberRole",
      [
        ["of a member, to admin", "secondMember", admin, ownerOnly],
        ["of an admin, to member", "secondAdmin", member, ownerOnly],
        ["one's own as a member, to admin", "member", admin, { member: "FORBIDDEN" }],
        ["one's own as an admin, to member", "admin", member, { admin: "FORBIDDEN" }],
        ["the owner's", "owner", member, { owner: "CONFLICT", admin: "FORBIDDEN" }],
        ["to what it is", "secondAdmin", admin, { owner: "CONFLICT" }],
        ["to a second owner", "secondAdmin", { role: "owner" }, { owner: "VALIDATION", admin: "VALIDATION" }],
        ["of a stranger", "stranger", admin, { owner: "NOT_FOUND", admin: "FORBIDDEN" }],
        ["of an unknown user", "nobody", admin, { owner: "NOT_FOUND" }],
      ],
    ],
    [
      "transferOwnership",
      [
        ["to a member", "secondMember", {}, ownerOnly],
        ["to an admin", "secondAdmin", {}, ownerOnly],
        ["to its owner", "owner", {}, { owner: "CONFLICT", admin: "FORBIDDEN" }],
        ["to a stranger", "stranger", {}, { owner: "NOT_FOUND", admin: "FORBIDDEN" }],
        ["to an unknown user", "nobody", {}, { owner: "NOT_FOUND" }],
      ],
    ],
    ["deleteGroup", [["the group", undefined, {}, ownerOnly]]],
  ])("%s succeeds for permitted roles; for all others it changes and pushes nothing", async (type, attempts) => {
    const paramsIn = ({ groupId, idOf }: Awaited<ReturnType<typeof groupOfSix>>, target: Attempt[1], more: object) => ({
      groupId,
      ...(target && { userId: target === "nobody" ? unknownId : idOf(target) }),
      ...more,
    });
    const unchanged = await groupOfSix(messenger());
    const before = await storedGroup(messenger(), unchanged.groupId);
    for (const [what, target, more, outcomes] of attempts) {
      for (const [role, outcome] of Object.entries(outcomes)) {
        if (outcome === "done") {
          const own = await groupOfSix(messenger());
          const answer = await own.people[role as GroupRole].device.exchange({
            type,
            params: paramsIn(own, target, more),
          });
          expect({ what, role, answer }).toMatchObject({ what, role, answer: { type, success: true } });
          continue;
        }
        const { device } = unchanged.people[role as GroupRole];
        const params = paramsIn(unchanged, target, more);
        const error = await device.sendRaw({ type, params });
        expect({ what, role, error }).toMatchObject({ what, role, error: { error: true, code: outcome } });
        if (outcome === "NOT_MEMBER") {
          expect(error).toEqual(await device.sendRaw({ type, params: { ...params, groupId: unknownId } }));
        }
      }
    }
    expect(await storedGroup(messenger(), unchanged.groupId)).toEqual(before);
    for (const { devices } of Object.values(unchanged.people)) {
      for (const device of devices) expect(await pushesTo(device)).toEqual([]);
    }
  });
});

describe("a group limited to three members", () => {
  const limited = useMessenger({ MAX_GROUP_MEMBERS: "3" });

  test("rejects a fourth member, even when four are added at once, until a member has been removed", async () => {
    const owner = await participant(limited(), { devices: 4 });
    const others = await participants(limited(), 1, 1, 1, 1, 1);
    const groupId = await createGroup(owner.device);
    const add = (device: Device, userId = 0) =>
      device.exchange({ type: "addUserInGroup", params: { groupId, userId } });
    const answers = await Promise.all(owner.devices.map((device, index) => add(device, others[index]?.id)));
    expect(answers.filter(({ success }) => success)).toHaveLength(2);
    for (const { error, code } of answers) if (error) expect(code).toBe("LIMIT");

    expect(await listMembers(owner.device, groupId)).toHaveLength(3);
    expect(await add(owner.device, others[4].id)).toMatchObject({ error: true, code: "LIMIT" });
    const userId = (await listMembers(owner.device, groupId)).find(({ role }) => role === "member")?.userId ?? 0;
    await owner.device.request("removeUserFromGroup", { groupId, userId });
    expect(await add(owner.device, others[4].id)).toMatchObject({ success: true });
    expect(await listMembers(owner.device, groupId)).toHaveLength(3);
  });
});
