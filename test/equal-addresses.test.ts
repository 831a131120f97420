import { expect, test } from "@jest/globals";
import { password, useMessenger } from "./support/messenger.ts";

/* E-mail addresses that differ only in case belong to one account. */

const messenger = useMessenger();

const register = (email: string) =>
  messenger().http("POST", "/auth/register", { body: { email, password, firstName: "Ann" } });
const logIn = async (email: string) =>
  (await messenger().http("POST", "/auth/login", { body: { email, password } })).status;

test("addresses in scripts whose letters have more than two forms are compared without case", async () => {
  expect((await register("γιώργος@ταχυδρομείο.test")).status).toBe(201);
  const capitals = "ΓΙΏΡΓΟΣ@ΤΑΧΥΔΡΟΜΕΊΟ.TEST";
  expect(await logIn(capitals)).toBe(200);
  expect(await register(capitals)).toMatchObject({ status: 409, body: { code: "EMAIL_TAKEN" } });
  // An accent makes another address.
  expect((await register("γιωργος@ταχυδρομειο.test")).status).toBe(201);
});

test("an account whose address equals another one's only by the present rules can still log in, and nobody takes it", async () => {
  const { body } = await register("strauss@equal.test");
  const { body: other } = await register("another@equal.test");
  // As an earlier version stored it.
  await messenger().sql("UPDATE users SET email = $email, email_key = $email WHERE id = $id RETURNING id", {
    email: "strauß@equal.test",
    id: other.user.id,
  });
  const idOf = async (email: string) =>
    (await messenger().http("POST", "/auth/login", { body: { email, password } })).body.user.id;
  expect(await idOf("Strauß@equal.test")).toBe(other.user.id);
  expect(await idOf("STRAUSS@equal.test")).toBe(body.user.id);
  expect((await register("strauß@equal.test")).status).toBe(409);
});
