import { expect, test } from "@jest/globals";
import { toMessengerError } from "../src/errors.ts";
import { type FetchResponse, Http } from "../src/http.ts";

const response = (status: number, json: () => Promise<unknown>): FetchResponse => ({
  ok: status >= 200 && status < 300,
  status,
  json,
});

async function errorOf(fetch: () => Promise<FetchResponse>) {
  const error = await new Http("https://chat.example.org", fetch).request("GET", "/users/me").catch(toMessengerError);
  const { code, message, field, retryable, retryAfterMs } = error as ReturnType<typeof toMessengerError>;
  return { code, message, field, retryable, retryAfterMs };
}

const noJson = () => Promise.reject(new SyntaxError("Unexpected token <"));

test("a problem of the server becomes an error with its code", async () => {
  const problem = { code: "VALIDATION", detail: "is too long", field: "firstName", status: 400 };
  expect(await errorOf(async () => response(400, async () => problem))).toEqual({
    code: "VALIDATION",
    message: "is too long",
    field: "firstName",
    retryable: false,
    retryAfterMs: undefined,
  });
  const busy = { code: "RATE_LIMITED", detail: "Try again", retryAfterMs: 700 };
  expect(await errorOf(async () => response(429, async () => busy))).toMatchObject({
    retryable: true,
    retryAfterMs: 700,
  });
});

test.each([
  [502, "UNAVAILABLE"],
  [503, "UNAVAILABLE"],
  [429, "RATE_LIMITED"],
  [404, "NOT_FOUND"],
])("the page of a proxy with status %i becomes %s", async (status, code) => {
  expect(await errorOf(async () => response(status, noJson))).toMatchObject({
    code,
    message: expect.stringContaining(String(status)),
  });
});

test("a failed request becomes OFFLINE", async () => {
  expect(await errorOf(() => Promise.reject(new TypeError("fetch failed")))).toMatchObject({
    code: "OFFLINE",
    retryable: true,
  });
});

test("a successful response that is no JSON, such as the page of a captive portal, becomes OFFLINE", async () => {
  expect(await errorOf(async () => response(200, noJson))).toMatchObject({ code: "OFFLINE", retryable: true });
});

test("a response without content is undefined", async () => {
  const http = new Http("https://chat.example.org", async () => response(204, noJson));
  expect(await http.request("POST", "/auth/logout")).toBeUndefined();
});

test("token and body are sent", async () => {
  const sent: unknown[] = [];
  const http = new Http("https://chat.example.org", async (url, { method, headers, body }) => {
    sent.push({ url, method, headers, body });
    return response(200, async () => ({ id: 1 }));
  });
  expect(await http.request("PATCH", "/users/me", { token: "t", body: { firstName: "Ann" } })).toEqual({ id: 1 });
  expect(sent).toEqual([
    {
      url: "https://chat.example.org/users/me",
      method: "PATCH",
      headers: { "Content-Type": "application/json", Authorization: "Bearer t" },
      body: '{"firstName":"Ann"}',
    },
  ]);
});
