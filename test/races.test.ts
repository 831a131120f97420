import { describe, expect, test } from "@jest/globals";
import { password, useMessenger } from "./support/messenger.ts";
import { block, createGroup, deleteAccount, listMembers, participants, sendPrivately } from "./support/scenes.ts";

/*
 * Concurrent requests, in rounds: each round has one of a few allowed outcomes, and none ends in a 500, a deadlock or
 * an inconsistent state. RACE_ROUNDS sets the number of rounds; `npm run races` runs a thousand.
 */

const rounds = Number(process.env.RACE_ROUNDS ?? 15);
const timeoutMs = 60_000 + rounds * 1500;

const messenger = useMessenger();

/** A test that runs its body in rounds and fails with the number of the round. */
function race(title: string, body: () => Promise<void>): void {
  const inRounds = async () => {
    for (let round = 1; round <= rounds; round++) {
      try {
        await body();
      } catch (error) {
        throw new Error(`round ${round} of ${rounds}: ${(error as Error).message}`, { cause: error });
      }
      await messenger().closeDevices();
    }
  };
  test(title, inRounds, timeoutMs);
}

const codeOf = (frame: { error?: true; code?: string }): string => (frame.error ? (frame.code ?? "") : "ok");
const count = (values: readonly string[]) => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

/** Every message of a chat from the database; fails if its numbers have a gap. */
async function storedHistory(chatId: number) {
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

describe("concurrently", () => {
  test(
    "one e-mail address registered a hundred times in different letter case gives one account",
    async () => {
      for (let round = 1; round <= Math.max(1, Math.floor(rounds / 10)); round++) {
        const address = `twin${round}@example.test`;
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, index) => {
            const email = [...address]
              .map((letter, place) => ((index >> (place % 7)) & 1 ? letter.toUpperCase() : letter))
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
    timeoutMs,
  );

  race("fifty requests to add one person: one succeeds, the others get CONFLICT", async () => {
    const [owner, other, added] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(owner.device, [other]);
    const adds = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? owner : other).device.exchange({ type: "addUserInGroup", params: { groupId, userId: added.id } }),
      ),
    );
    expect(count(adds.map(codeOf))).toEqual({ ok: 1, CONFLICT: 49 });
    expect((await storedHistory(groupId)).filter(({ event }) => event?.kind === "memberAdded")).toHaveLength(2);
  });

  race("a member adds someone and leaves: both succeed, or the add comes too late", async () => {
    const [owner, leaver, added] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(owner.device, [leaver]);
    const second = await leaver.connect();
    const [add, leave] = await Promise.all([
      leaver.device.exchange({ type: "addUserInGroup", params: { groupId, userId: added.id } }),
      second.exchange({ type: "leaveGroup", params: { groupId } }),
    ]);
    expect(codeOf(leave)).toBe("ok");
    expect(["ok", "NOT_MEMBER"]).toContain(codeOf(add));
    if (codeOf(add) === "ok") expect(add.params.item.seq).toBeLessThan(leave.params.item.seq);
    await storedHistory(groupId);
  });

  race("a member leaves on one device and sends on another: acknowledged messages come before the leave", async () => {
    const [owner, leaver] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(owner.device, [leaver]);
    const second = await leaver.connect();
    const sends = Array.from({ length: 10 }, (_, index) =>
      leaver.device.exchange({ type: "messageInGroup", params: { groupId, content: `${index}` } }),
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
    const stored = (await storedHistory(groupId)).filter(({ senderId, event }) => senderId === leaver.id && !event);
    expect(stored).toHaveLength(answers.filter((answer) => !answer.error).length);
  });

  race(
    "a member is removed while others send: nothing numbered after the removal reaches the removed member",
    async () => {
      const [owner, writer, removed] = await participants(messenger(), 1, 1, 1);
      const groupId = await createGroup(owner.device, [writer, removed]);
      const sends = Array.from({ length: 15 }, (_, index) =>
        writer.device.exchange({ type: "messageInGroup", params: { groupId, content: `${index}` } }),
      );
      const [removal] = await Promise.all([
        owner.device.exchange({ type: "removeUserFromGroup", params: { groupId, userId: removed.id } }),
        ...sends,
      ]);
      await removed.device.settle();
      const received = removed.device.pushes().map(({ params }) => params.item);
      for (const item of received) expect(item.seq).toBeLessThanOrEqual(removal.params.item.seq);
      expect(received.at(-1)?.event?.kind).toBe("memberRemoved");
      await storedHistory(groupId);
    },
  );

  race("an account is deleted while it sends: nothing is stored after the answer", async () => {
    const [owner, deleted] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(owner.device, [deleted]);
    for (let index = 0; index < 20; index++) {
      const to =
        index % 2
          ? { type: "messageInGroup", params: { groupId, content: `${index}` } }
          : { type: "privateMessage", params: { receiverId: owner.id, content: `${index}` } };
      deleted.device.send(to);
    }
    const toDeleted = Array.from({ length: 10 }, () =>
      owner.device.exchange({ type: "privateMessage", params: { receiverId: deleted.id, content: "?" } }),
    );
    await deleteAccount(messenger(), deleted);
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
    await storedHistory(groupId);
  });

  race("a password is changed during log-ins with the old one: no session of the old password survives", async () => {
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
  });

  race("the owner and the last admin leave: the remaining member owns the group", async () => {
    const [owner, admin, member] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(owner.device, [admin, member]);
    await owner.device.request("setMemberRole", { groupId, userId: admin.id, role: "admin" });
    await Promise.all([owner, admin].map(({ device }) => device.request("leaveGroup", { groupId })));
    expect(await listMembers(member.device, groupId)).toMatchObject([{ userId: member.id, role: "owner" }]);
    await storedHistory(groupId);
  });

  race("two people send each other their first messages: one dialog is created", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const items = await Promise.all([
      sendPrivately(ann.device, bob.id, "Hi Bob"),
      sendPrivately(bob.device, ann.id, "Hi Ann"),
    ]);
    expect(new Set(items.map(({ chatId }) => chatId)).size).toBe(1);
    expect(items.map(({ seq }) => seq).sort()).toEqual([1, 2]);
  });

  race("a user blocks another who is sending: nothing is stored after the answer", async () => {
    const [blocker, blocked] = await participants(messenger(), 1, 1);
    const sends = Array.from({ length: 20 }, (_, index) =>
      blocked.device.exchange({ type: "privateMessage", params: { receiverId: blocker.id, content: `${index}` } }),
    );
    expect((await block(messenger(), blocker, blocked)).status).toBe(204);
    const stored = async () =>
      (await messenger().sql("SELECT id FROM messages WHERE sender_id = $id", { id: blocked.id })).length;
    const atAnswer = await stored();
    const answers = await Promise.all(sends);
    for (const answer of answers) expect(["ok", "NOT_FOUND"]).toContain(codeOf(answer));
    expect(await stored()).toBe(atAnswer);
    expect(answers.filter((answer) => !answer.error)).toHaveLength(atAnswer);
  });
});
