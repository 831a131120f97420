import { describe, expect, jest, test } from "@jest/globals";
import { changesAfter } from "../src/db/queries/chats/changes.ts";
import { purgeEndedChat, someEndedChat } from "../src/db/queries/messages/ended-chats.ts";
import { purgeEndedChats } from "../src/jobs/purge-ended-chats.ts";
import type { Device } from "./support/device.ts";
import { password, type TestMessenger, type TestUser, useMessenger } from "./support/messenger.ts";
import { silentLog } from "./support/silent.ts";

/* Groups: who may do what in them, who hears of it, and what is left when people go. */

interface Member {
  person: TestUser;
  /** The device that acts, and another one of the same person. */
  device: Device;
  other: Device;
}

const roles = ["owner", "admin", "secondAdmin", "member", "secondMember", "stranger"] as const;
type Who = (typeof roles)[number];

describe("in a group", () => {
  const messenger = useMessenger();

  const joined = (userId: number, device: Device, groupId: number) =>
    device.request("addUserInGroup", { groupId, userId });

  async function someone(): Promise<Member> {
    const person = await messenger().person();
    const [device, other] = await Promise.all([person.connect(), person.connect()]);
    return { person, device, other };
  }

  const newGroup = async ({ device }: Member, groupName = "the group") =>
    (await device.request("newGroup", { groupName })).params.item.groupId ?? 0;

  /** A group with two admins and two members, in the order in which they came; and a stranger to it. */
  async function group() {
    const all = await Promise.all(roles.map(someone));
    const [owner, admin, secondAdmin, member, secondMember, stranger] = all;
    if (!owner || !admin || !secondAdmin || !member || !secondMember || !stranger) throw new Error("six people");
    const who: Record<Who, Member> = { owner, admin, secondAdmin, member, secondMember, stranger };
    const groupId = await newGroup(owner);
    for (const { person } of [member, secondAdmin, secondMember, admin]) await joined(person.id, owner.device, groupId);
    for (const { person } of [secondAdmin, admin]) {
      await owner.device.request("setMemberRole", { groupId, userId: person.id, role: "admin" });
    }
    const everyone = [owner, admin, secondAdmin, member, secondMember];
    await quiet([...everyone, stranger]);
    return { groupId, who, everyone, idOf: (name: Who) => who[name].person.id };
  }

  /** Waits for what was pushed until now, and forgets it. */
  async function quiet(members: Member[]): Promise<void> {
    const devices = members.flatMap(({ device, other }) => [device, other]);
    await Promise.all(devices.map((device) => device.settle()));
    for (const device of devices) device.frames.length = 0;
  }

  /** What was pushed to a device since. */
  async function heard(device: Device) {
    await device.settle();
    return device.pushes();
  }

  const members = async (device: Device, groupId: number) =>
    (await device.request("listGroupMembers", { groupId, limit: 100, page: 1 })).params.data;
  const roleOf = async (device: Device, groupId: number, userId: number) =>
    (await members(device, groupId)).find((row) => row.userId === userId)?.role;
  const history = async (device: Device, groupId: number) =>
    (await device.request("getlatestMessageGroup", { groupId, limit: 100, page: 1 })).params.data;
  const chatsOf = async (device: Device) =>
    (await device.request("listLastMessage", { limit: 100, page: 1 })).params.data;

  /** Everything that is stored of a group. */
  const stored = async (groupId: number) => ({
    chat: await messenger().sql("SELECT * FROM chats WHERE id = $groupId", { groupId }),
    members: await messenger().sql("SELECT * FROM chat_members WHERE chat_id = $groupId ORDER BY user_id", { groupId }),
    messages: await messenger().sql<{ content: string }>(
      "SELECT * FROM messages WHERE chat_id = $groupId ORDER BY seq",
      { groupId },
    ),
  });

  const texts = (messages: { content: string }[]) => messages.map(({ content }) => content);

  const neverWas = 987_654_321;
  const notMember = { code: "NOT_MEMBER", message: "User is not a member of this group" };

  describe("the list of members", () => {
    test("has the owner, the admins, the members, the longest there first, page by page", async () => {
      const { groupId, who, idOf } = await group();
      const rows = await members(who.member.device, groupId);
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
      expect(rows[0]).toMatchObject({ firstName: who.owner.person.firstName, lastName: null });
      for (const limit of [1, 2, 3, 5]) {
        const paged = [];
        for (let page = 1; page <= Math.ceil(5 / limit) + 1; page++) {
          paged.push(...(await who.admin.device.request("listGroupMembers", { groupId, limit, page })).params.data);
        }
        expect(paged).toEqual(rows);
      }
    });

    test("is refused to a stranger as for a group that is not there, and for a dialog", async () => {
      const { groupId, who, idOf } = await group();
      const { params } = await who.owner.device.request("privateMessage", { receiverId: idOf("admin"), content: "hi" });
      const ask = (device: Device, id: number) =>
        device.sendRaw({ type: "listGroupMembers", params: { groupId: id, limit: 5, page: 1 } });
      const answers = [
        await ask(who.stranger.device, groupId),
        await ask(who.stranger.device, neverWas),
        await ask(who.owner.device, params.item.chatId),
      ];
      expect(answers[0]).toEqual({ error: true, type: "listGroupMembers", ...notMember });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    });
  });

  describe("of what may be done", () => {
    type Verdicts = Partial<Record<Who, "done" | "NOT_MEMBER" | "FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "VALIDATION">>;
    /** What is tried, on whom, and what each who tries it is answered. */
    type Attempt = [what: string, target: Who | "nobody" | undefined, more: object, verdicts: Verdicts];

    const ownerOnly: Verdicts = { owner: "done", admin: "FORBIDDEN", member: "FORBIDDEN", stranger: "NOT_MEMBER" };
    const adminsToo: Verdicts = { ...ownerOnly, admin: "done" };
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
          ["somebody who never was", "nobody", {}, { owner: "NOT_FOUND", admin: "NOT_FOUND" }],
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
          ["of somebody who never was", "nobody", admin, { owner: "NOT_FOUND" }],
        ],
      ],
      [
        "transferOwnership",
        [
          ["to a member", "secondMember", {}, ownerOnly],
          ["to an admin", "secondAdmin", {}, ownerOnly],
          ["to its owner", "owner", {}, { owner: "CONFLICT", admin: "FORBIDDEN" }],
          ["to a stranger", "stranger", {}, { owner: "NOT_FOUND", admin: "FORBIDDEN" }],
          ["to somebody who never was", "nobody", {}, { owner: "NOT_FOUND" }],
        ],
      ],
      ["deleteGroup", [["the group", undefined, {}, ownerOnly]]],
    ])("%s is done for those who may, and changes and tells nothing for everyone else", async (type, attempts) => {
      const paramsIn = ({ groupId, idOf }: Awaited<ReturnType<typeof group>>, target: Attempt[1], more: object) => ({
        groupId,
        ...(target && { userId: target === "nobody" ? neverWas : idOf(target) }),
        ...more,
      });
      const inVain = await group();
      const before = await stored(inVain.groupId);
      for (const [what, target, more, verdicts] of attempts) {
        for (const [role, verdict] of Object.entries(verdicts)) {
          if (verdict === "done") {
            const own = await group();
            const answer = await own.who[role as Who].device.exchange({ type, params: paramsIn(own, target, more) });
            expect({ what, role, answer }).toMatchObject({ what, role, answer: { type, success: true } });
            continue;
          }
          const { device } = inVain.who[role as Who];
          const params = paramsIn(inVain, target, more);
          const error = await device.sendRaw({ type, params });
          expect({ what, role, error }).toMatchObject({ what, role, error: { error: true, code: verdict } });
          if (verdict === "NOT_MEMBER") {
            expect(error).toEqual(await device.sendRaw({ type, params: { ...params, groupId: neverWas } }));
          }
        }
      }
      expect(await stored(inVain.groupId)).toEqual(before);
      for (const { device, other } of Object.values(inVain.who)) {
        for (const each of [device, other]) expect(await heard(each)).toEqual([]);
      }
    });
  });

  describe("a change", () => {
    interface Telling {
      what: string;
      type: string;
      by: Who;
      whom?: Who;
      more?: object;
      text: string;
      event: object;
    }
    const another = { groupName: "another name" };
    const tellings: Telling[] = [
      {
        what: "another name",
        type: "renameGroup",
        by: "admin",
        more: another,
        text: '(by) renamed the group to "another name"',
        event: { kind: "groupRenamed", ...another },
      },
      {
        what: "a removal",
        type: "removeUserFromGroup",
        by: "admin",
        whom: "member",
        text: "(by) removed (whom) from the group",
        event: { kind: "memberRemoved" },
      },
      {
        what: "a new admin",
        type: "setMemberRole",
        by: "owner",
        whom: "member",
        more: { role: "admin" },
        text: "(by) made (whom) an admin",
        event: { kind: "roleChanged", role: "admin" },
      },
      {
        what: "an admin who is none any more",
        type: "setMemberRole",
        by: "owner",
        whom: "admin",
        more: { role: "member" },
        text: "(by) made (whom) a member",
        event: { kind: "roleChanged", role: "member" },
      },
      {
        what: "a new owner",
        type: "transferOwnership",
        by: "owner",
        whom: "member",
        text: "(by) handed the group over to (whom)",
        event: { kind: "ownershipTransferred" },
      },
      {
        what: "the end",
        type: "deleteGroup",
        by: "owner",
        text: "(by) deleted the group",
        event: { kind: "groupDeleted" },
      },
      {
        what: "a leaving",
        type: "leaveGroup",
        by: "member",
        text: "(by) left the group",
        event: { kind: "memberLeft" },
      },
      {
        what: "somebody new",
        type: "addUserInGroup",
        by: "member",
        whom: "stranger",
        text: "(by) added (whom) to the group",
        event: { kind: "memberAdded" },
      },
    ];

    test.each(tellings.map((telling) => [telling.what, telling] as const))(
      "such as %s is heard once by every device of everyone it concerns, and by nobody else",
      async (_what, { type, more, text, event, ...names }) => {
        const { groupId, who, everyone } = await group();
        const [by, whom] = [who[names.by], names.whom && who[names.whom]];
        const [{ version } = { version: 0 }] = await messenger().sql<{ version: number }>(
          "SELECT version FROM chats WHERE id = $groupId",
          { groupId },
        );
        const answer = await by.device.exchange({
          type,
          params: { groupId, ...(whom && { userId: whom.person.id }), ...more },
        });
        const message = text.replace("(by)", by.person.firstName).replace("(whom)", whom?.person.firstName ?? "");
        expect(answer).toMatchObject({
          type,
          success: true,
          params: {
            data: null,
            message: null,
            senderName: null,
            isBroadcast: false,
            item: {
              chatId: groupId,
              groupId,
              groupName: type === "renameGroup" ? "another name" : "the group",
              seq: version + 1,
              version: version + 1,
              senderId: by.person.id,
              senderName: by.person.firstName,
              message,
              notification: true,
              editedAt: null,
              deletedAt: null,
            },
          },
        });
        expect(answer.params.item.event).toEqual({
          ...event,
          byUserId: by.person.id,
          ...(whom && { userId: whom.person.id }),
        });

        const push = {
          type,
          success: true,
          params: { data: null, message, senderName: by.person.firstName, isBroadcast: true, item: answer.params.item },
        };
        const concerned = new Set(whom ? [...everyone, whom] : everyone);
        for (const each of concerned) {
          expect(await heard(each.device)).toEqual(each === by ? [] : [push]);
          expect(await heard(each.other)).toEqual([push]);
        }
        if (!concerned.has(who.stranger))
          for (const each of [who.stranger.device, who.stranger.other]) expect(await heard(each)).toEqual([]);

        if (type !== "deleteGroup") {
          const [row] = await history(who.owner.device, groupId);
          expect(row).toMatchObject({
            id: answer.params.item.messageId,
            content: message,
            event: answer.params.item.event,
          });
          expect(await chatsOf(who.owner.device)).toMatchObject([
            { chatId: groupId, content: message, chatVersion: version + 1 },
          ]);
        }
      },
    );

    test("of many kinds at once numbers the messages without a gap, and everyone hears them in that order", async () => {
      const { groupId, who, everyone, idOf } = await group();
      const before = (await stored(groupId)).messages.length;
      const wishes: [Who, string, object][] = [
        ["admin", "renameGroup", { groupName: "a" }],
        ["secondAdmin", "renameGroup", { groupName: "b" }],
        ["owner", "setMemberRole", { userId: idOf("member"), role: "admin" }],
        ["member", "messageInGroup", { content: "what is going on?" }],
        ["admin", "removeUserFromGroup", { userId: idOf("secondMember") }],
        ["secondMember", "messageInGroup", { content: "wait" }],
        ["owner", "transferOwnership", { userId: idOf("admin") }],
        ["member", "addUserInGroup", { userId: idOf("stranger") }],
      ];
      const answers = await Promise.all(
        wishes.map(([name, type, params]) => who[name].device.exchange({ type, params: { groupId, ...params } })),
      );
      const { messages } = await stored(groupId);
      const written = answers.filter(({ success }) => success).length;
      expect(messages).toHaveLength(before + written);
      const numbers = Array.from({ length: messages.length }, (_, index) => index + 1);
      expect(messages).toMatchObject(numbers.map((number) => ({ seq: number, version: number })));
      for (const { other } of everyone.filter((each) => each !== who.secondMember)) {
        expect((await heard(other)).map(({ params }) => params.item.version)).toEqual(numbers.slice(before));
      }
    });
  });

  describe("somebody who was removed", () => {
    test("hears nothing any more, reads nothing, and writes nothing", async () => {
      const { groupId, who, idOf } = await group();
      await who.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("member") });
      await quiet([who.member]);
      await who.owner.device.request("messageInGroup", { groupId, content: "between us" });
      await who.admin.device.request("renameGroup", { groupId, groupName: "without you" });
      await who.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("secondMember") });
      for (const device of [who.member.device, who.member.other]) expect(await heard(device)).toEqual([]);

      const { device } = who.member;
      expect(await chatsOf(device)).toEqual([]);
      for (const [type, params] of [
        ["getlatestMessageGroup", { limit: 5, page: 1 }],
        ["listGroupMembers", { limit: 5, page: 1 }],
        ["messageInGroup", { content: "hello?" }],
        ["addUserInGroup", { userId: idOf("member") }],
        ["leaveGroup", {}],
        ["renameGroup", { groupName: "mine" }],
      ] as const) {
        expect(await device.requestError(type, { groupId, ...params })).toMatchObject({ type, ...notMember });
      }
    });

    test("and is added again sees the whole history, as one who has read it, and hears what comes", async () => {
      const { groupId, who, idOf } = await group();
      await who.owner.device.request("messageInGroup", { groupId, content: "before" });
      await who.owner.device.request("removeUserFromGroup", { groupId, userId: idOf("admin") });
      await who.owner.device.request("messageInGroup", { groupId, content: "while away" });
      await quiet([who.admin]);
      const { params } = await joined(idOf("admin"), who.member.device, groupId);
      expect(await who.admin.other.nextPush("addUserInGroup")).toMatchObject({ params: { item: params.item } });

      const { device } = who.admin;
      const rows = await history(device, groupId);
      expect(rows.map(({ seq }) => seq)).toEqual(
        Array.from({ length: params.item.seq }, (_, index) => params.item.seq - index),
      );
      expect(rows.map(({ content }) => content)).toEqual(expect.arrayContaining(["before", "while away"]));
      expect(await chatsOf(device)).toMatchObject([{ chatId: groupId, unread: 0, readSeq: params.item.seq }]);
      expect(await roleOf(device, groupId, idOf("admin"))).toBe("member");
      await who.owner.device.request("messageInGroup", { groupId, content: "welcome back" });
      expect(await who.admin.other.nextPush("messageInGroup")).toMatchObject({ params: { message: "welcome back" } });
      expect(await chatsOf(device)).toMatchObject([{ unread: 1 }]);
    });
  });

  describe("an owner", () => {
    test("who hands over becomes an admin, and the new owner may what owners may", async () => {
      const { groupId, who, idOf } = await group();
      await who.owner.device.request("transferOwnership", { groupId, userId: idOf("member") });
      const rows = await members(who.owner.device, groupId);
      expect(rows.filter(({ role }) => role === "owner").map(({ userId }) => userId)).toEqual([idOf("member")]);
      expect(await roleOf(who.owner.device, groupId, idOf("owner"))).toBe("admin");
      expect(await who.owner.device.requestError("deleteGroup", { groupId })).toMatchObject({ code: "FORBIDDEN" });
      await who.member.device.request("removeUserFromGroup", { groupId, userId: idOf("owner") });
      await who.member.device.request("deleteGroup", { groupId });
    });

    test("who leaves hands over to the oldest admin, and hears nothing of what comes after", async () => {
      const { groupId, who, idOf } = await group();
      const { params } = await who.owner.device.request("leaveGroup", { groupId });
      const left = { type: "leaveGroup", params: { item: { ...params.item } } };
      const handedOver = {
        type: "transferOwnership",
        params: {
          message: `${who.owner.person.firstName} handed the group over to ${who.secondAdmin.person.firstName}`,
          item: {
            version: params.item.version + 1,
            event: { kind: "ownershipTransferred", byUserId: idOf("owner"), userId: idOf("secondAdmin") },
          },
        },
      };
      for (const each of [who.admin, who.secondAdmin, who.member, who.secondMember]) {
        expect(await heard(each.device)).toMatchObject([left, handedOver]);
      }
      expect(await heard(who.owner.other)).toMatchObject([left]);
      expect(await heard(who.owner.device)).toEqual([]);
      expect(await roleOf(who.admin.device, groupId, idOf("secondAdmin"))).toBe("owner");
    });

    test("who leaves members only hands over to the oldest of them; the last one out ends the group", async () => {
      const [owner, first, second] = [await someone(), await someone(), await someone()];
      const groupId = await newGroup(owner);
      for (const { person } of [first, second]) await joined(person.id, owner.device, groupId);
      await owner.device.request("leaveGroup", { groupId });
      expect((await members(second.device, groupId)).map(({ userId, role }) => [userId, role])).toEqual([
        [first.person.id, "owner"],
        [second.person.id, "member"],
      ]);
      await first.device.request("leaveGroup", { groupId });
      expect(await roleOf(second.device, groupId, second.person.id)).toBe("owner");
      await second.device.request("leaveGroup", { groupId });
      expect((await stored(groupId)).chat).toMatchObject([{ deleted_at: expect.any(Date) }]);
      expect(await second.device.requestError("messageInGroup", { groupId, content: "echo" })).toMatchObject(notMember);
    });
  });

  describe("that was ended", () => {
    test("keeps its messages for an hour, in which a process that has not heard of the end still finds it", async () => {
      const maker = await someone();
      const [recent, old] = [await newGroup(maker), await newGroup(maker)];
      for (const groupId of [recent, old]) await maker.device.request("deleteGroup", { groupId });
      const { messages } = await stored(recent);
      await messenger().sql(
        "UPDATE chats SET deleted_at = deleted_at - make_interval(mins => 61) WHERE id = $old RETURNING id",
        { old },
      );
      const stop = purgeEndedChats({ database: messenger().db, log: silentLog });
      for (let looks = 0; (await stored(old)).messages.length > 1; looks++) expect(looks).toBeLessThan(10_000);
      stop();
      expect((await stored(recent)).messages).toEqual(messages);
    });

    test("nobody reads or writes any more, as if it had never been", async () => {
      const { groupId, who, everyone } = await group();
      await who.owner.device.request("deleteGroup", { groupId });
      await quiet(everyone);
      for (const { device } of everyone) {
        expect(await chatsOf(device)).toEqual([]);
        for (const [type, params] of [
          ["getlatestMessageGroup", { limit: 5, page: 1 }],
          ["listGroupMembers", { limit: 5, page: 1 }],
          ["messageInGroup", { content: "hello?" }],
          ["addUserInGroup", { userId: who.stranger.person.id }],
          ["leaveGroup", {}],
          ["renameGroup", { groupName: "mine" }],
          ["deleteGroup", {}],
        ] as const) {
          const error = await device.requestError(type, { groupId, ...params });
          expect(error).toMatchObject(notMember);
          const elsewhere = await device.requestError(type, { groupId: neverWas, ...params });
          expect({ ...error, requestId: "" }).toEqual({ ...elsewhere, requestId: "" });
        }
      }
      for (const { other } of everyone) expect(await heard(other)).toEqual([]);
      expect((await stored(groupId)).members).toEqual([]);
    });

    /** Purges every ended group. @returns what was left of this one's rows before and after each slice of it */
    async function purge<T>(groupId: number, left: () => Promise<T>): Promise<T[]> {
      const remaining = [await left()];
      for (
        let ended = await someEndedChat(messenger().db);
        ended !== undefined;
        ended = await someEndedChat(messenger().db)
      ) {
        await purgeEndedChat(messenger().db, ended);
        if (ended === groupId) remaining.push(await left());
        expect(remaining.length).toBeLessThan(10);
      }
      return remaining;
    }

    test("gives back the space of its messages, a chunk at a time, keeps its client ids, and touches no other group", async () => {
      const { groupId, who } = await group();
      const neighbour = await newGroup(who.owner, "next door");
      await who.owner.device.request("messageInGroup", { groupId: neighbour, content: "still here" });
      // Every fifth of them has a client id.
      await messenger().sql(
        `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at, client_message_id)
         SELECT id, last_seq + n, last_seq + n, $senderId, 'many', clock_timestamp(),
                CASE WHEN n % 5 = 0 THEN 'client-id-' || n END
           FROM chats, generate_series(1, 2500) AS n WHERE id = $groupId`,
        { groupId, senderId: who.owner.person.id },
      );
      await messenger().sql(
        "UPDATE chats SET last_seq = last_seq + 2500, version = version + 2500 WHERE id = $groupId",
        { groupId },
      );
      const neighboursBefore = await stored(neighbour);
      const left = async () => {
        const { messages } = await stored(groupId);
        return { rows: messages.length, texts: texts(messages).filter((text) => text !== "").length };
      };
      const before = await left();
      expect(before).toEqual({ rows: before.rows, texts: 2500 });
      // A group that lives is not touched, even if asked for.
      expect(await someEndedChat(messenger().db)).not.toBe(groupId);
      await purgeEndedChat(messenger().db, groupId);
      expect(await left()).toEqual(before);

      await who.owner.device.request("deleteGroup", { groupId });
      const notices = before.rows - 2500 + 1;
      expect(await purge(groupId, left)).toEqual([
        { rows: notices + 2500, texts: 2500 },
        // The newest of them is the notice of the end.
        { rows: notices - 1 + 1501 + 200, texts: 1501 },
        { rows: notices - 1 + 501 + 400, texts: 501 },
        { rows: 500, texts: 0 },
      ]);
      expect(await stored(neighbour)).toEqual(neighboursBefore);
      expect(
        await who.admin.device.requestError("getlatestMessageGroup", { groupId, limit: 5, page: 1 }),
      ).toMatchObject(notMember);
    });

    test("answers a repeated send as it did before its messages were removed: with what was stored", async () => {
      const maker = await someone();
      const groupId = await newGroup(maker);
      const say = async (content: string, more: object = {}) => {
        const params = { groupId, content, clientMessageId: crypto.randomUUID(), ...more };
        const { messageId } = (await maker.device.request("messageInGroup", params)).params.item;
        return { params, messageId };
      };
      const plain = await say("plain");
      const unnamed = await say("without a client id", { clientMessageId: undefined });
      const reply = await say("reply", { replyTo: unnamed.messageId });
      const edited = await say("edited");
      const deleted = await say("deleted");
      const { messageId } = edited;
      await maker.device.request("editMessage", { messageId, content: "edited since" });
      await maker.device.request("deleteMessage", { messageId: deleted.messageId });
      const made = { groupName: "made once", clientMessageId: crypto.randomUUID() };
      const makeAgain = async () => (await maker.device.request("newGroup", made)).params.item;
      const madeId = (await makeAgain()).groupId ?? 0;
      for (const ended of [groupId, madeId]) await maker.device.request("leaveGroup", { groupId: ended });

      const again = async () => {
        const items = [await makeAgain()];
        for (const { params } of [plain, reply, edited, deleted]) {
          items.push((await maker.device.request("messageInGroup", params)).params.item);
        }
        return items;
      };
      const before = await again();
      expect(before).toMatchObject(before.map(() => ({ duplicate: true })));
      await purge(groupId, async () => undefined);
      expect(texts((await stored(groupId)).messages)).toEqual(["", "", "", ""]);
      expect(await again()).toEqual(before);
      expect(await maker.device.requestError("editMessage", { messageId, content: "back" })).toMatchObject({
        code: "NOT_FOUND",
      });
    });
  });

  describe("somebody whose account is deleted", () => {
    /** Leaves one group as its owner with admins, one as its owner without, one as an admin, and one alone. */
    async function leaver() {
      const name = { firstName: "Zebulonia", lastName: "Quaxington" };
      const answer = await messenger().http("POST", "/auth/register", {
        body: { email: `zebulonia.${crypto.randomUUID()}@quaxington.test`, password, ...name },
      });
      const { token, user } = answer.body;
      const device = await messenger().connect(token);
      const [first, second] = [await someone(), await someone()];
      const asMember: Member = {
        person: { ...first.person, id: user.id, token },
        device,
        other: await messenger().connect(token),
      };
      const ids = {
        withAdmins: await newGroup(asMember, "with admins"),
        withMembers: await newGroup(asMember, "with members"),
        alone: await newGroup(asMember, "alone"),
        asAdmin: await newGroup(first, "not hers"),
      };
      for (const groupId of [ids.withAdmins, ids.withMembers]) {
        for (const { person } of [first, second]) await joined(person.id, device, groupId);
        await device.request("messageInGroup", { groupId, content: "I was here" });
      }
      await device.request("setMemberRole", { groupId: ids.withAdmins, userId: second.person.id, role: "admin" });
      for (const { id } of [user, second.person]) await joined(id, first.device, ids.asAdmin);
      await first.device.request("setMemberRole", { groupId: ids.asAdmin, userId: user.id, role: "admin" });
      await device.request("removeUserFromGroup", { groupId: ids.asAdmin, userId: second.person.id });
      await device.request("addUserInGroup", { groupId: ids.asAdmin, userId: second.person.id });
      await device.request("privateMessage", { receiverId: first.person.id, content: "just for you" });
      await first.device.request("privateMessage", { receiverId: user.id, content: "thank you" });
      await messenger().http("PUT", `/users/me/blocks/${user.id}`, { token: second.person.token });
      await quiet([first, second]);
      const remove = () => messenger().http("DELETE", "/users/me", { token, body: { password } });
      return { id: Number(user.id), device, ids, first, second, remove };
    }

    test("leaves every group: an heir is found, or the group ends", async () => {
      const { id, device, ids, first, second, remove } = await leaver();
      const last = await messenger().sql<{ id: number; version: number }>("SELECT id, version FROM chats ORDER BY id");
      expect(await remove()).toMatchObject({ status: 204 });
      expect(await device.closed).toMatchObject({ code: 4403 });
      expect(await roleOf(first.device, ids.withAdmins, second.person.id)).toBe("owner");
      expect(await roleOf(first.device, ids.withMembers, first.person.id)).toBe("owner");
      expect(await roleOf(second.device, ids.asAdmin, first.person.id)).toBe("owner");
      for (const groupId of [ids.withAdmins, ids.withMembers, ids.asAdmin]) {
        const rows = await members(first.device, groupId);
        expect(rows.map(({ userId }) => userId).sort()).toEqual([first.person.id, second.person.id].sort());
        expect(rows.filter(({ role }) => role === "owner")).toHaveLength(1);
      }
      expect(await stored(ids.alone)).toMatchObject({ chat: [{ deleted_at: expect.any(Date) }], members: [] });

      const versionOf = (groupId: number) => last.find((chat) => chat.id === groupId)?.version ?? 0;
      const news = (groupId: number, type: string, after: number, event: object) => ({
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
      const left = (groupId: number) => news(groupId, "leaveGroup", 1, { kind: "memberLeft" });
      const handedOver = (groupId: number, heir: Member) =>
        news(groupId, "transferOwnership", 2, { kind: "ownershipTransferred", userId: heir.person.id });
      for (const each of [first.device, first.other, second.device, second.other]) {
        const pushes = await heard(each);
        expect(pushes).toHaveLength(5);
        const ofGroup = (groupId: number) => pushes.filter(({ params }) => params.item.groupId === groupId);
        expect(ofGroup(ids.withAdmins)).toMatchObject([left(ids.withAdmins), handedOver(ids.withAdmins, second)]);
        expect(ofGroup(ids.withMembers)).toMatchObject([left(ids.withMembers), handedOver(ids.withMembers, first)]);
        expect(ofGroup(ids.asAdmin)).toMatchObject([left(ids.asAdmin)]);
      }
    });

    test("leaves many groups with as many statements as a few", async () => {
      /** How many statements on memberships and notices it takes to leave this many groups, two of every three as owner. */
      async function statementsFor(count: number): Promise<number> {
        const [leaving, staying] = [await someone(), await someone()];
        const groupIds: number[] = [];
        for (let n = 0; n < count; n++) {
          const [maker, other] = n % 3 === 2 ? [staying, leaving] : [leaving, staying];
          const groupId = await newGroup(maker);
          if (n % 3 > 0) await joined(other.person.id, maker.device, groupId);
          groupIds.push(groupId);
        }
        const query = jest.spyOn(messenger().db, "query");
        const { token } = leaving.person;
        await messenger().http("DELETE", "/users/me", { token, body: { password } });
        const statements = query.mock.calls.map(([sql]) => (typeof sql === "string" ? sql : sql.query));
        query.mockRestore();
        const inOrder = (await heard(staying.device)).filter(({ type }) => type === "leaveGroup");
        expect(inOrder.map(({ params }) => params.item.groupId)).toEqual(groupIds.filter((_id, n) => n % 3 > 0));
        return statements.filter((sql) => /chat_members|INSERT INTO messages/.test(sql)).length;
      }
      const few = await statementsFor(3);
      expect(few).toBeGreaterThan(3);
      expect(await statementsFor(30)).toBe(few);
    });

    test("is named nowhere: in no push, no list, no history, and no table", async () => {
      const { id, ids, first, second, remove } = await leaver();
      expect(await nameIsIn(messenger(), "users")).toBe(true);
      await remove();
      const seen: unknown[] = [];
      for (const { device, other, person } of [first, second]) {
        seen.push(await heard(device), await heard(other), await chatsOf(device));
        for (const groupId of [ids.withAdmins, ids.withMembers, ids.asAdmin]) {
          seen.push(await history(device, groupId), await members(device, groupId));
        }
        for (const path of [
          "/users?limit=100",
          "/users?search=zebu",
          "/users?search=zebulonia+quax",
          "/users/me/blocks",
          `/users/${id}`,
        ]) {
          seen.push((await messenger().http("GET", path, { token: person.token })).body);
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
  });

  test("what is read of its changes in pages tells with each page who came and went after it", async () => {
    const { groupId, idOf } = await group();
    const all = await changesAfter(messenger().db, { chatId: groupId, after: 0, limit: 100 });
    const page = await changesAfter(messenger().db, { chatId: groupId, after: 0, limit: 2 });
    expect(all.messages).toHaveLength(7);
    expect(all.laterEvents).toEqual([]);
    expect(page.messages).toEqual(all.messages.slice(0, 2));
    expect(page.laterEvents).toEqual(all.messages.slice(2));
    expect(page.memberIds).toEqual(all.memberIds);
    expect(page.laterEvents.map(({ event }) => event?.userId)).toContain(idOf("admin"));
  });
});

/** Whether any row of a table has the name of the one who was deleted in it. */
async function nameIsIn(messenger: TestMessenger, table: string): Promise<boolean> {
  const rows = await messenger.sql(
    `SELECT 1 FROM "${table}" AS t WHERE t::text ILIKE '%zebulonia%' OR t::text ILIKE '%quaxington%' LIMIT 1`,
  );
  return rows.length > 0;
}

describe("a group of at most three", () => {
  const messenger = useMessenger({ MAX_GROUP_MEMBERS: "3" });

  test("takes no fourth, not even of four that are added at once, and takes one again when one has left", async () => {
    const [owner, ...others] = await Promise.all(Array.from({ length: 6 }, () => messenger().person()));
    if (!owner) throw new Error("six people");
    const devices = await Promise.all([owner.connect(), owner.connect(), owner.connect(), owner.connect()]);
    const [device] = devices;
    if (!device) throw new Error("four devices");
    const groupId = (await device.request("newGroup", { groupName: "a small one" })).params.item.groupId ?? 0;
    const add = (by: Device, userId = 0) => by.exchange({ type: "addUserInGroup", params: { groupId, userId } });
    const answers = await Promise.all(devices.map((each, index) => add(each, others[index]?.id)));
    expect(answers.filter(({ success }) => success)).toHaveLength(2);
    for (const { error, code } of answers) if (error) expect(code).toBe("LIMIT");

    const members = async () => (await device.request("listGroupMembers", { groupId, limit: 10, page: 1 })).params.data;
    expect(await members()).toHaveLength(3);
    expect(await add(device, others[4]?.id)).toMatchObject({ error: true, code: "LIMIT" });
    const userId = (await members()).find(({ role }) => role === "member")?.userId ?? 0;
    await device.request("removeUserFromGroup", { groupId, userId });
    expect(await add(device, others[4]?.id)).toMatchObject({ success: true });
    expect(await members()).toHaveLength(3);
  });
});
