import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { password, useMessenger } from "./support/messenger.ts";

/*
 * Things that happen at the same time, in rounds: each has one outcome of a few allowed ones, nothing ends in a 500, a
 * deadlock or a half state. RACE_ROUNDS sets the number of rounds; `npm run races` does a thousand.
 */

const rounds = Number(process.env.RACE_ROUNDS ?? 15);
const patienceMs = 60_000 + rounds * 1500;

const messenger = useMessenger();

/** Runs a race often, and fails with the number of the round. */
async function inRounds(race: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    try {
      await race(round);
    } catch (error) {
      throw new Error(`round ${round} of ${rounds}: ${(error as Error).message}`, { cause: error });
    }
    await messenger().closeDevices();
  }
}

const codeOf = (frame: { error?: true; code?: string }): string => (frame.error ? (frame.code ?? "") : "ok");
const count = (values: readonly string[]) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

async function connected(howMany: number) {
  const people = await Promise.all(Array.from({ length: howMany }, () => messenger().person()));
  return Promise.all(people.map(async (person) => ({ ...person, device: await person.connect() })));
}

async function groupOf(owner: Device, memberIds: readonly number[]): Promise<number> {
  const { params } = await owner.request("newGroup", { groupName: "new name" });
  const groupId = params.item.groupId ?? 0;
  for (const userId of memberIds) await owner.request("addUserInGroup", { groupId, userId });
  return groupId;
}

/** Every message of a chat, from the database, and that its numbers have no hole. */
async function history(chatId: number) {
  const rows = await messenger().sql<{
    seq: number;
    version: number;
    senderId: number;
    event: { kind: string } | null;
  }>(`SELECT seq, version, sender_id AS "senderId", event FROM messages WHERE chat_id = $chatId ORDER BY seq`, {
    chatId,
  });
  const [chat] = await messenger().sql<{ lastSeq: number }>(
    'SELECT last_seq AS "lastSeq" FROM chats WHERE id = $chatId',
    { chatId },
  );
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, index) => index + 1));
  expect(chat?.lastSeq).toBe(rows.length);
  return rows;
}

describe("at the same time", () => {
  test(
    "one e-mail address is registered a hundred times in different letter case: one account comes of it",
    async () => {
      for (let round = 1; round <= Math.max(1, Math.floor(rounds / 10)); round++) {
        const address = `twin${round}@example.test`;
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, at) => {
            const email = [...address]
              .map((letter, place) => ((at >> (place % 7)) & 1 ? letter.toUpperCase() : letter))
              .join("");
            return messenger().http("POST", "/auth/register", { body: { email, password, firstName: "Twin" } });
          }),
        );
        const statuses = count(answers.map(({ status }) => String(status)));
        expect(statuses["201"]).toBe(1);
        expect(Object.keys(statuses).filter((status) => !["201", "409", "503"].includes(status))).toEqual([]);
        const [row] = await messenger().sql<{ n: number }>(
          "SELECT count(*)::int AS n FROM users WHERE email_key = $address",
          { address },
        );
        expect(row?.n).toBe(1);
      }
    },
    patienceMs,
  );

  test(
    "fifty adds of one person: one adds, the others hear that the person is in",
    () =>
      inRounds(async () => {
        const [owner, other, added] = await connected(3);
        if (!owner || !other || !added) throw new Error("three people");
        const groupId = await groupOf(owner.device, [other.id]);
        const adds = await Promise.all(
          Array.from({ length: 50 }, (_, at) =>
            (at % 2 ? owner : other).device.exchange({ type: "addUserInGroup", params: { groupId, userId: added.id } }),
          ),
        );
        expect(count(adds.map(codeOf))).toEqual({ ok: 1, CONFLICT: 49 });
        expect((await history(groupId)).filter(({ event }) => event?.kind === "memberAdded")).toHaveLength(2);
      }),
    patienceMs,
  );

  test(
    "one is added by another who leaves: both are done, or the add came too late",
    () =>
      inRounds(async () => {
        const [owner, leaver, added] = await connected(3);
        if (!owner || !leaver || !added) throw new Error("three people");
        const groupId = await groupOf(owner.device, [leaver.id]);
        const second = await leaver.connect();
        const [add, leave] = await Promise.all([
          leaver.device.exchange({ type: "addUserInGroup", params: { groupId, userId: added.id } }),
          second.exchange({ type: "leaveGroup", params: { groupId } }),
        ]);
        expect(codeOf(leave)).toBe("ok");
        expect(["ok", "NOT_MEMBER"]).toContain(codeOf(add));
        if (codeOf(add) === "ok") expect(add.params.item.seq).toBeLessThan(leave.params.item.seq);
        await history(groupId);
      }),
    patienceMs,
  );

  test(
    "one leaves on one device and writes on the other: what is acknowledged stands before the leave",
    () =>
      inRounds(async () => {
        const [owner, leaver] = await connected(2);
        if (!owner || !leaver) throw new Error("two people");
        const groupId = await groupOf(owner.device, [leaver.id]);
        const second = await leaver.connect();
        const sends = Array.from({ length: 10 }, (_, at) =>
          leaver.device.exchange({ type: "messageInGroup", params: { groupId, content: `${at}` } }),
        );
        const [leave, ...answers] = await Promise.all([
          second.exchange({ type: "leaveGroup", params: { groupId } }),
          ...sends,
        ]);
        const leftAt = leave.params.item.seq;
        for (const answer of answers) {
          if (answer.error) expect(answer.code).toBe("NOT_MEMBER");
          else expect(answer.params.item.seq).toBeLessThan(leftAt);
        }
        const stored = (await history(groupId)).filter(({ senderId, event }) => senderId === leaver.id && !event);
        expect(stored).toHaveLength(answers.filter((answer) => !answer.error).length);
      }),
    patienceMs,
  );

  test(
    "one is put out while others write: nothing numbered after it reaches the one put out",
    () =>
      inRounds(async () => {
        const [owner, writer, removed] = await connected(3);
        if (!owner || !writer || !removed) throw new Error("three people");
        const groupId = await groupOf(owner.device, [writer.id, removed.id]);
        const sends = Array.from({ length: 15 }, (_, at) =>
          writer.device.exchange({ type: "messageInGroup", params: { groupId, content: `${at}` } }),
        );
        const [removal] = await Promise.all([
          owner.device.exchange({ type: "removeUserFromGroup", params: { groupId, userId: removed.id } }),
          ...sends,
        ]);
        await removed.device.settle();
        const heard = removed.device.pushes().map(({ params }) => params.item);
        for (const item of heard) expect(item.seq).toBeLessThanOrEqual(removal.params.item.seq);
        expect(heard.at(-1)?.event?.kind).toBe("memberRemoved");
        await history(groupId);
      }),
    patienceMs,
  );

  test(
    "an account is deleted while it writes: nothing is stored after the answer",
    () =>
      inRounds(async () => {
        const [owner, deleted] = await connected(2);
        if (!owner || !deleted) throw new Error("two people");
        const groupId = await groupOf(owner.device, [deleted.id]);
        for (let at = 0; at < 20; at++) {
          const to =
            at % 2
              ? { type: "messageInGroup", params: { groupId, content: `${at}` } }
              : { type: "privateMessage", params: { receiverId: owner.id, content: `${at}` } };
          deleted.device.send(to);
        }
        const toDeleted = Array.from({ length: 10 }, () =>
          owner.device.exchange({ type: "privateMessage", params: { receiverId: deleted.id, content: "?" } }),
        );
        const { status } = await messenger().http("DELETE", "/users/me", { token: deleted.token, body: { password } });
        expect(status).toBe(204);
        const lastId = async () =>
          (
            await messenger().sql<{ id: number }>(
              `SELECT coalesce(max(id), 0) AS id FROM messages WHERE sender_id = $id AND event IS NULL`,
              { id: deleted.id },
            )
          )[0]?.id;
        const atAnswer = await lastId();
        expect(await deleted.device.closed).toMatchObject({ code: 4403 });
        for (const answer of await Promise.all(toDeleted)) expect(["ok", "NOT_FOUND"]).toContain(codeOf(answer));
        await owner.device.settle();
        expect(await lastId()).toBe(atAnswer);
        await history(groupId);
      }),
    patienceMs,
  );

  test(
    "a password is changed while the old one logs in: no session of the old password outlives it",
    () =>
      inRounds(async () => {
        const person = await messenger().person();
        const login = () => messenger().http("POST", "/auth/login", { body: { email: person.email, password } });
        const [change, ...logins] = await Promise.all([
          messenger().http("PUT", "/users/me/password", {
            token: person.token,
            body: { oldPassword: password, newPassword: "another long sentence" },
          }),
          login(),
          login(),
          login(),
        ]);
        expect(change.status).toBe(204);
        for (const { status, body } of logins) {
          expect([200, 401]).toContain(status);
          if (status !== 200) continue;
          expect((await messenger().http("GET", "/users/me", { token: body.token })).status).toBe(401);
        }
      }),
    patienceMs,
  );

  test(
    "the owner and the last admin leave: the one who stays owns the group",
    () =>
      inRounds(async () => {
        const [owner, admin, member] = await connected(3);
        if (!owner || !admin || !member) throw new Error("three people");
        const groupId = await groupOf(owner.device, [admin.id, member.id]);
        await owner.device.request("setMemberRole", { groupId, userId: admin.id, role: "admin" });
        await Promise.all([owner, admin].map(({ device }) => device.request("leaveGroup", { groupId })));
        const { params } = await member.device.request("listGroupMembers", { groupId, limit: 5, page: 1 });
        expect(params.data).toMatchObject([{ userId: member.id, role: "owner" }]);
        await history(groupId);
      }),
    patienceMs,
  );

  test(
    "two people write to each other for the first time: they find one dialog",
    () =>
      inRounds(async () => {
        const [ann, bob] = await connected(2);
        if (!ann || !bob) throw new Error("two people");
        const answers = await Promise.all([
          ann.device.request("privateMessage", { receiverId: bob.id, content: "Hi Bob" }),
          bob.device.request("privateMessage", { receiverId: ann.id, content: "Hi Ann" }),
        ]);
        expect(new Set(answers.map(({ params }) => params.item.chatId)).size).toBe(1);
        expect(answers.map(({ params }) => params.item.seq).sort()).toEqual([1, 2]);
      }),
    patienceMs,
  );

  test(
    "one blocks another who writes: nothing is stored after the answer",
    () =>
      inRounds(async () => {
        const [blocker, blocked] = await connected(2);
        if (!blocker || !blocked) throw new Error("two people");
        const sends = Array.from({ length: 20 }, (_, at) =>
          blocked.device.exchange({ type: "privateMessage", params: { receiverId: blocker.id, content: `${at}` } }),
        );
        const { status } = await messenger().http("PUT", `/users/me/blocks/${blocked.id}`, { token: blocker.token });
        expect(status).toBe(204);
        const stored = async () =>
          (await messenger().sql("SELECT id FROM messages WHERE sender_id = $id", { id: blocked.id })).length;
        const atAnswer = await stored();
        const answers = await Promise.all(sends);
        for (const answer of answers) expect(["ok", "NOT_FOUND"]).toContain(codeOf(answer));
        expect(await stored()).toBe(atAnswer);
        expect(answers.filter((answer) => !answer.error)).toHaveLength(atAnswer);
      }),
    patienceMs,
  );
});
