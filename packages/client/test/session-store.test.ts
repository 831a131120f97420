import { expect, test } from "@jest/globals";
import { Http } from "../src/http.ts";
import { Sessions } from "../src/session.ts";
import { memory, type Store, StorePart } from "../src/store.ts";

const user = {
  id: 1,
  email: "ann@example.org",
  firstName: "Ann",
  lastName: null,
  pendingEmail: null,
  role: "user" as const,
  createdAt: "",
};

/** A session whose token is valid for a day. */
const session = (number: number) => ({
  user,
  token: `.${btoa(JSON.stringify({ iat: 0, exp: 86_400, sid: 7 }))}.`,
  expiresAt: "",
  refreshToken: `refresh ${number}`,
});

/** Sessions of a server that counts its refresh tokens, and rejects an old one. */
function scene(store: Store, answer?: () => unknown) {
  const exchanged: string[] = [];
  const http = new Http("https://chat.example.org", async (_url, { body = "" }) => {
    const { refreshToken } = JSON.parse(String(body));
    exchanged.push(refreshToken);
    return { ok: true, status: 200, json: async () => (answer ? answer() : session(exchanged.length + 1)) };
  });
  const sessions = new Sessions({ http, store: new StorePart(store, ""), onStoreFailure() {}, onRenewed() {} });
  return { sessions, exchanged };
}

const full = (): Store => ({ ...memory(), set: () => Promise.reject(new Error("QuotaExceededError")) });

test("a session that could not be stored is renewed, again and again", async () => {
  const { sessions, exchanged } = scene(full());
  await sessions.begin(session(1));
  await sessions.renew();
  await sessions.renew();
  expect(exchanged).toEqual(["refresh 1", "refresh 2"]);
  sessions.close();
});

test("a renewed session that could not be stored is not replaced by the stored one", async () => {
  const store = memory();
  const { sessions, exchanged } = scene(store);
  await sessions.begin(session(1));
  const { set } = store;
  store.set = () => Promise.reject(new Error("QuotaExceededError"));
  await sessions.renew();
  await sessions.renew();
  store.set = set;
  await sessions.renew();
  expect(exchanged).toEqual(["refresh 1", "refresh 2", "refresh 3"]);
  expect(await store.get("session")).toMatchObject({ refreshToken: "refresh 4" });
  sessions.close();
});

test("the refresh token that another tab has received is exchanged", async () => {
  const store = memory();
  const { sessions, exchanged } = scene(store);
  await sessions.begin(session(1));
  await store.set("session", { ...Object(await store.get("session")), refreshToken: "refresh 9" });
  await sessions.renew();
  expect(exchanged).toEqual(["refresh 9"]);
  sessions.close();
});

test("a session that another tab has ended is over", async () => {
  const store = memory();
  const { sessions } = scene(store);
  await sessions.begin(session(1));
  await store.delete("session");
  await expect(sessions.renew()).rejects.toMatchObject({ code: "LOGGED_OUT" });
  sessions.close();
});

test("a response that is cut keeps the session", async () => {
  const store = memory();
  const { sessions } = scene(store, () => Promise.reject(new TypeError("terminated")));
  await sessions.begin(session(1));
  await expect(sessions.renew()).rejects.toMatchObject({ code: "OFFLINE" });
  expect(await store.get("session")).toMatchObject({ refreshToken: "refresh 1" });
  sessions.close();
});
