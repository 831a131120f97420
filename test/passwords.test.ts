import { describe, expect, jest, test } from "@jest/globals";
import bcrypt from "bcrypt";
import { password, useMessenger } from "./support/messenger.ts";

describe("a password that was hashed when BCRYPT_COST was lower", () => {
  const messenger = useMessenger({ BCRYPT_COST: "6", BCRYPT_PARALLEL: "3" });
  const logIn = async (email: string, given = password) =>
    (await messenger().http("POST", "/auth/login", { body: { email, password: given } })).status;

  async function personWithOldHash() {
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

  /** The work requested from bcrypt: each step of the cost doubles it. */
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

  test("is rehashed by the next log-in and stays valid", async () => {
    const { id, email } = await personWithOldHash();
    expect(await logIn(email)).toBe(200);
    expect(await costOf(id)).toBe(6);
    expect(await logIn(email)).toBe(200);
    expect(await logIn(email, "a wrong password")).toBe(401);
  });

  test("is not rehashed by a log-in with a wrong password", async () => {
    const { id, email } = await personWithOldHash();
    expect(await logIn(email, "a wrong password")).toBe(401);
    expect(await costOf(id)).toBe(4);
  });

  test("takes as much work for a wrong password as an unknown e-mail address", async () => {
    const { email } = await personWithOldHash();
    await logIn("nobody@example.test");
    const ofUnknown = await workOf(() => logIn("nobody@example.test"));
    expect(await workOf(() => logIn(email, "a wrong password"))).toBe(ofUnknown);
    expect(ofUnknown).toBe(2 ** 6);
  });

  test("works for concurrent log-ins that would all rehash it", async () => {
    const { id, email, token } = await personWithOldHash();
    expect(await Promise.all(Array.from({ length: 8 }, () => logIn(email)))).toEqual(Array(8).fill(200));
    expect(await costOf(id)).toBe(6);
    expect((await messenger().http("GET", "/users/me", { token })).status).toBe(200);
  });
});

describe("a password with accents", () => {
  const messenger = useMessenger();
  const composed = "un été à Besançon".normalize("NFC");
  const decomposed = composed.normalize("NFD");
  const logIn = async (email: string, given: string) =>
    (await messenger().http("POST", "/auth/login", { body: { email, password: given } })).status;
  const registerWith = async (given: string) => {
    const email = `${crypto.randomUUID()}@example.test`;
    const { status, body } = await messenger().http("POST", "/auth/register", {
      body: { email, password: given, firstName: "Zoé" },
    });
    expect(status).toBe(201);
    return { email, id: body.user.id, token: body.token };
  };

  test.each([
    ["composed", composed],
    ["decomposed", decomposed],
  ])("registered %s is the same in both forms, also where it is asked for again", async (_form, given) => {
    const { email, token } = await registerWith(given);
    for (const form of [composed, decomposed]) expect(await logIn(email, form)).toBe(200);
    for (const oldPassword of [decomposed, composed]) {
      const change = { oldPassword, newPassword: oldPassword === composed ? decomposed : composed };
      expect((await messenger().http("PUT", "/users/me/password", { token, body: change })).status).toBe(204);
    }
  });

  test("hashed as it was given by an earlier version still works, and then in both forms", async () => {
    const { email, id } = await registerWith(composed);
    const hash = await bcrypt.hash(decomposed, 4);
    await messenger().sql("UPDATE users SET password_hash = $hash WHERE id = $id RETURNING id", { hash, id });
    expect(await logIn(email, composed)).toBe(401);
    expect(await logIn(email, decomposed)).toBe(200);
    expect(await logIn(email, composed)).toBe(200);
  });

  test("has its length measured in the composed form", async () => {
    await registerWith("é".repeat(36).normalize("NFD"));
    const body = { email: "long@example.test", password: "é".repeat(37), firstName: "Zoé" };
    expect(await messenger().http("POST", "/auth/register", { body })).toMatchObject({
      status: 400,
      body: { code: "VALIDATION", field: "body.password", detail: expect.stringContaining("72 bytes") },
    });
  });

  test("of 72 bytes that is longer in the composed form is rejected with an error that says so", async () => {
    // A letter that Unicode composes as two.
    const given = "\u0958".repeat(24);
    expect([Buffer.byteLength(given), Buffer.byteLength(given.normalize("NFC"))]).toEqual([72, 144]);
    const body = { email: "longer@example.test", password: given, firstName: "Zoé" };
    expect(await messenger().http("POST", "/auth/register", { body })).toMatchObject({
      status: 400,
      body: {
        code: "VALIDATION",
        field: "body.password",
        detail: '"password" must be at most 72 bytes long in the Unicode form NFC, which is longer than the given form',
      },
    });
  });

  test.each(["own.address@Example.test", "OWN.ADDRESS"])(
    "%s is rejected for the owner of that address",
    async (own) => {
      const body = { email: "own.address@example.test", password: own, firstName: "Zoé" };
      expect(await messenger().http("POST", "/auth/register", { body })).toMatchObject({
        status: 400,
        body: { code: "VALIDATION", field: "body.password" },
      });
      const { email, token } = await registerWith(composed);
      // In capitals, because responses may contain the address, but never a password that a test has sent.
      const change = { oldPassword: composed, newPassword: email.toUpperCase() };
      expect(await messenger().http("PUT", "/users/me/password", { token, body: change })).toMatchObject({
        status: 400,
        body: { field: "body.newPassword" },
      });
    },
  );
});
