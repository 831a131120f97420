import { describe, expect, jest, test } from "@jest/globals";
import bcrypt from "bcrypt";
import { password, useMessenger } from "./support/messenger.ts";

describe("a password that was hashed when BCRYPT_COST was lower", () => {
  const messenger = useMessenger({ BCRYPT_COST: "6", BCRYPT_PARALLEL: "3" });
  const logIn = async (email: string, given = password) =>
    (await messenger().http("POST", "/auth/login", { body: { email, password: given } })).status;

  async function someoneFromBefore() {
    const person = await messenger().person();
    const hash = await bcrypt.hash(password, 4);
    await messenger().sql("UPDATE users SET password_hash = $hash WHERE id = $id", { hash, id: person.id });
    return person;
  }

  async function costOf(id: number): Promise<number> {
    const [row] = await messenger().sql<{ hash: string }>("SELECT password_hash AS hash FROM users WHERE id = $id", {
      id,
    });
    return bcrypt.getRounds(row?.hash ?? "");
  }

  /** What bcrypt was asked for, in its own unit: each step of the cost doubles it. */
  async function workOf(logIn: () => Promise<unknown>): Promise<number> {
    const [compared, hashed] = [jest.spyOn(bcrypt, "compare"), jest.spyOn(bcrypt, "hash")];
    await logIn();
    const costs = [
      ...compared.mock.calls.map(([, hash]) => bcrypt.getRounds(hash)),
      ...hashed.mock.calls.map(([, cost]) => Number(cost)),
    ];
    for (const spy of [compared, hashed]) spy.mockRestore();
    return costs.reduce((sum, cost) => sum + 2 ** cost, 0);
  }

  test("is hashed anew by the next log-in, and is still the password", async () => {
    const { id, email } = await someoneFromBefore();
    expect(await logIn(email)).toBe(200);
    expect(await costOf(id)).toBe(6);
    expect(await logIn(email)).toBe(200);
    expect(await logIn(email, "a wrong password")).toBe(401);
  });

  test("stays as it is when the log-in is wrong", async () => {
    const { id, email } = await someoneFromBefore();
    expect(await logIn(email, "a wrong password")).toBe(401);
    expect(await costOf(id)).toBe(4);
  });

  test("is refused with as much work as an address that nobody has", async () => {
    const { email } = await someoneFromBefore();
    await logIn("nobody@example.test");
    const ofUnknown = await workOf(() => logIn("nobody@example.test"));
    expect(await workOf(() => logIn(email, "a wrong password"))).toBe(ofUnknown);
    expect(ofUnknown).toBe(2 ** 6);
  });

  test("logs in from many devices at once, each of which would hash it anew", async () => {
    const { id, email, token } = await someoneFromBefore();
    expect(await Promise.all(Array.from({ length: 8 }, () => logIn(email)))).toEqual(Array(8).fill(200));
    expect(await costOf(id)).toBe(6);
    expect((await messenger().http("GET", "/users/me", { token })).status).toBe(200);
  });
});
