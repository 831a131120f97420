import { describe, expect, jest, test } from "@jest/globals";
import { clearPushes, pushesTo, roleOf, storedGroup } from "./support/group-scene.ts";
import { password, type TestMessenger, useMessenger } from "./support/messenger.ts";
import {
  block,
  createGroup,
  deleteAccount,
  groupHistory,
  listChats,
  listMembers,
  type Participant,
  participant,
  participants,
  pushesDuring,
  sendPrivately,
  sendToGroup,
  typeAndText,
} from "./support/scenes.ts";

/* Deleted accounts: the groups they leave, the messages they keep, and that their names are deleted. */

const messenger = useMessenger();

describe("a deleted account", () => {
  /**
   * A person with a first and a last name who owns a group with admins, one without admins and one without other
   * members, and is an admin of another, together with two members of these groups.
   */
  async function deletedAndOthers() {
    const { body } = await messenger().http("POST", "/auth/register", {
      body: {
        email: `zebulonia.${crypto.randomUUID()}@quaxington.test`,
        password,
        firstName: "Zebulonia",
        lastName: "Quaxington",
      },
    });
    const { token } = body;
    const id = Number(body.user.id);
    const device = await messenger().connect(token);
    const [first, second] = await participants(messenger(), 2, 2);
    const ids = {
      withAdmins: await createGroup(device, [first, second], "with admins"),
      withMembers: await createGroup(device, [first, second], "with members"),
      alone: await createGroup(device, [], "alone"),
      asAdmin: await createGroup(first.device, [{ id }, second], "not hers"),
    };
    for (const groupId of [ids.withAdmins, ids.withMembers]) await sendToGroup(device, groupId, "I was here");
    await device.request("setMemberRole", { groupId: ids.withAdmins, userId: second.id, role: "admin" });
    await first.device.request("setMemberRole", { groupId: ids.asAdmin, userId: id, role: "admin" });
    await device.request("removeUserFromGroup", { groupId: ids.asAdmin, userId: second.id });
    await device.request("addUserInGroup", { groupId: ids.asAdmin, userId: second.id });
    await sendPrivately(device, first.id, "just for you");
    await sendPrivately(first.device, id, "thank you");
    await block(messenger(), second, { id });
    await clearPushes([first, second]);
    return { id, device, ids, first, second, remove: () => deleteAccount(messenger(), { token }) };
  }

  test("leaves every group: a next owner is chosen, or the group ends", async () => {
    const { id, device, ids, first, second, remove } = await deletedAndOthers();
    const before = await messenger().sql<{ id: number; version: number }>("SELECT id, version FROM chats ORDER BY id");
    await remove();
    expect(await device.closed).toMatchObject({ code: 4403 });
    expect(await roleOf(first.device, ids.withAdmins, second.id)).toBe("owner");
    expect(await roleOf(first.device, ids.withMembers, first.id)).toBe("owner");
    expect(await roleOf(second.device, ids.asAdmin, first.id)).toBe("owner");
    for (const groupId of [ids.withAdmins, ids.withMembers, ids.asAdmin]) {
      const rows = await listMembers(first.device, groupId);
      expect(rows.map(({ userId }) => userId).sort()).toEqual([first.id, second.id].sort());
      expect(rows.filter(({ role }) => role === "owner")).toHaveLength(1);
    }
    expect(await storedGroup(messenger(), ids.alone)).toMatchObject({
      chat: [{ deleted_at: expect.any(Date) }],
      members: [],
    });

    const versionOf = (groupId: number) => before.find((chat) => chat.id === groupId)?.version ?? 0;
    const push = (groupId: number, type: string, after: number, event: object) => ({
      type,
      params: {
        item: {
          groupId,
          version: versionOf(groupId) + after,
          senderId: id,
          senderName: "Deleted user",
          event: { ...event, byUserId: id },
        },
      },
    });
    const left = (groupId: number) => push(groupId, "leaveGroup", 1, { kind: "memberLeft" });
    const handedOver = (groupId: number, nextOwner: Participant) =>
      push(groupId, "transferOwnership", 2, { kind: "ownershipTransferred", userId: nextOwner.id });
    for (const each of [...first.devices, ...second.devices]) {
      const pushes = await pushesTo(each);
      expect(pushes).toHaveLength(5);
      const ofGroup = (groupId: number) => pushes.filter(({ params }) => params.item.groupId === groupId);
      expect(ofGroup(ids.withAdmins)).toMatchObject([left(ids.withAdmins), handedOver(ids.withAdmins, second)]);
      expect(ofGroup(ids.withMembers)).toMatchObject([left(ids.withMembers), handedOver(ids.withMembers, first)]);
      expect(ofGroup(ids.asAdmin)).toMatchObject([left(ids.asAdmin)]);
    }
  });

  test("leaves thirty groups with as many statements as three", async () => {
    /** The number of statements on memberships and system messages for leaving this many groups, two of three as owner. */
    async function statementsFor(count: number): Promise<number> {
      const [leaving, staying] = await participants(messenger(), 2, 2);
      const groupIds: number[] = [];
      for (let n = 0; n < count; n++) {
        const [owner, other] = n % 3 === 2 ? [staying, leaving] : [leaving, staying];
        const groupId = await createGroup(owner.device, n % 3 > 0 ? [other] : []);
        groupIds.push(groupId);
      }
      const query = jest.spyOn(messenger().db, "query");
      await deleteAccount(messenger(), leaving);
      const statements = query.mock.calls.map(([sql]) => (typeof sql === "string" ? sql : sql.query));
      query.mockRestore();
      const inOrder = (await pushesTo(staying.device)).filter(({ type }) => type === "leaveGroup");
      expect(inOrder.map(({ params }) => params.item.groupId)).toEqual(groupIds.filter((_id, n) => n % 3 > 0));
      return statements.filter((sql) => /chat_members|INSERT INTO messages/.test(sql)).length;
    }
    const few = await statementsFor(3);
    expect(few).toBeGreaterThan(3);
    expect(await statementsFor(30)).toBe(few);
  });

  test("has its name in no push, list, history or table", async () => {
    const { id, ids, first, second, remove } = await deletedAndOthers();
    expect(await nameIsIn(messenger(), "users")).toBe(true);
    await remove();
    const seen: unknown[] = [];
    for (const { device, otherDevice, token } of [first, second]) {
      seen.push(await pushesTo(device), await pushesTo(otherDevice), await listChats(device));
      for (const groupId of [ids.withAdmins, ids.withMembers, ids.asAdmin]) {
        seen.push(await groupHistory(device, groupId), await listMembers(device, groupId));
      }
      for (const path of [
        "/users?limit=100",
        "/users?search=zebu",
        "/users?search=zebulonia+quax",
        "/users/me/blocks",
        `/users/${id}`,
      ]) {
        seen.push((await messenger().http("GET", path, { token })).body);
      }
    }
    const dialog = await first.device.request("getlatestMessageDialog", { receiverId: id, limit: 10, page: 1 });
    expect(dialog.params.data).toMatchObject([
      { content: "thank you", receverName: "Deleted user" },
      { content: "just for you", sender_id: id },
    ]);
    seen.push(
      dialog.params.data,
      await first.device.requestError("privateMessage", { receiverId: id, content: "hello?" }),
    );
    expect(JSON.stringify(seen)).toContain("Deleted user");
    expect(JSON.stringify(seen)).not.toMatch(/zebulonia|quaxington/i);
    const tables = await messenger().sql<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name",
    );
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["users", "messages", "chats", "sessions", "blocks"]),
    );
    for (const { name } of tables)
      expect({ name, named: await nameIsIn(messenger(), name) }).toEqual({ name, named: false });
  });

  test('keeps its messages, which are shown under "Deleted user" in pushes, lists and histories', async () => {
    const deleted = await participant(messenger(), { firstName: "Vanishing", devices: 2 });
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(deleted.device, [ann, bob], "half empty");
    await sendToGroup(deleted.device, groupId, "remember me");
    await sendPrivately(deleted.device, ann.id, "in private");
    await sendPrivately(ann.device, deleted.id, "answer");
    const othersGroup = await createGroup(ann.device, [bob], "of others");
    await ann.device.request("addUserInGroup", { groupId: othersGroup, userId: deleted.id });

    const pushes = await pushesDuring([...ann.devices, bob.device], () => deleteAccount(messenger(), deleted));
    for (const received of pushes) {
      expect(received.map(typeAndText)).toEqual([
        ["leaveGroup", "Deleted user left the group"],
        ["transferOwnership", `Deleted user handed the group over to ${ann.firstName}`],
        ["leaveGroup", "Deleted user left the group"],
      ]);
      expect(received.map(({ params }) => params.item.chatId)).toEqual([groupId, groupId, othersGroup]);
      for (const { params } of received)
        expect(params).toMatchObject({ senderName: "Deleted user", item: { senderId: deleted.id } });
    }
    for (const device of deleted.devices) expect((await device.closed).code).toBe(4403);

    for (const { device } of [ann, bob]) {
      const history = await groupHistory(device, groupId);
      expect(history.map(({ senderName, content }) => [senderName, content]).reverse()).toEqual([
        ["Deleted user", 'Deleted user created the group "half empty"'],
        ["Deleted user", `Deleted user added ${ann.firstName} to the group`],
        ["Deleted user", `Deleted user added ${bob.firstName} to the group`],
        ["Deleted user", "remember me"],
        ["Deleted user", "Deleted user left the group"],
        ["Deleted user", `Deleted user handed the group over to ${ann.firstName}`],
      ]);
      const othersHistory = await groupHistory(device, othersGroup);
      expect(othersHistory.map(({ content }) => content)).toContain(`${ann.firstName} added Deleted user to the group`);
      const everything = JSON.stringify([await listChats(device), history, othersHistory]);
      expect(everything).not.toContain("Vanishing");
    }

    const list = await listChats(ann.device);
    expect(list.find(({ receiverId }) => receiverId === deleted.id)).toMatchObject({ receiverName: "Deleted user" });
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: deleted.id, limit: 9, page: 1 });
    expect(dialog.params.data.map(({ content, receverName }) => [content, receverName])).toEqual([
      ["answer", "Deleted user"],
      ["in private", ann.firstName],
    ]);
    expect(await ann.device.requestError("privateMessage", { receiverId: deleted.id, content: "?" })).toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await ann.device.requestError("addUserInGroup", { groupId, userId: deleted.id })).toMatchObject({
      code: "NOT_FOUND",
    });
    // Ann became the owner of the group.
    await ann.device.request("transferOwnership", { groupId, userId: bob.id });
  });

  test("ends the groups it was alone in", async () => {
    const [deleted, ann] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(deleted.device, [], "alone");
    await deleteAccount(messenger(), deleted);
    expect(await ann.device.requestError("leaveGroup", { groupId })).toMatchObject({ code: "NOT_MEMBER" });
    const groupOfTwo = await createGroup(ann.device, [], "alive");
    expect(await ann.device.requestError("addUserInGroup", { groupId: groupOfTwo, userId: deleted.id })).toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

/** Whether any row of the table contains the deleted user's name. */
async function nameIsIn(messenger: TestMessenger, table: string): Promise<boolean> {
  const rows = await messenger.sql(
    `SELECT 1 FROM "${table}" AS t WHERE t::text ILIKE '%zebulonia%' OR t::text ILIKE '%quaxington%' LIMIT 1`,
  );
  return rows.length > 0;
}
