import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { PassThrough } from "node:stream";
import { afterAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { ConnectionError } from "sequelize";
import { asAppError } from "../src/db/database-errors.ts";
import { failureLog } from "../src/db/failure-log.ts";
import { createStartupApp } from "../src/http/startup-app.ts";
import { createLogger } from "../src/logger.ts";
import { LogLines } from "./support/log-lines.ts";
import { password, useMessenger } from "./support/messenger.ts";
import { openAndSend, readToEnd } from "./support/raw-http.ts";
import { bearer, parse, readUntilEnd, upgradeRequest } from "./support/raw-upgrade.ts";

/* One line per request, refused frame and refused upgrade. */

const log = new LogLines();
const messenger = useMessenger({ HEADERS_TIMEOUT_SECONDS: "1", REQUEST_TIMEOUT_SECONDS: "1" }, log.log);
const secretPath = "eyJhbGciOiJIUzI1NiJ9";

beforeEach(() => log.clear());

describe("an HTTP request", () => {
  test("is logged once, with its route instead of its path", async () => {
    const { id, token } = await messenger().person();
    log.clear();
    await messenger().http("GET", `/users/${id}?x=${secretPath}`, { token });
    const { time, durationMs, requestId, ...line } = await log.waitFor({ msg: "request" });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(durationMs).toEqual(expect.any(Number));
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(line).toMatchObject({
      level: "info",
      route: "/users/{id}",
      method: "GET",
      status: 200,
      address: "127.0.0.1",
      userId: id,
    });
    expect(log.lines).toHaveLength(1);
    expect(log.output).not.toContain(secretPath);
  });

  test.each([
    ["GET", `/${secretPath}`, "unknown", 404],
    ["GET", `/users/${secretPath}/x`, "unknown", 404],
    ["GET", `/users/${secretPath}`, "/users/{id}", 401],
    ["GET", `/auth/sessions/${secretPath}`, "/auth/sessions/{id}", 405],
    ["PUT", `/users/me/blocks/${secretPath}`, "/users/me/blocks/{userId}", 401],
    ["GET", `/api/${secretPath}`, "/api/{file}", 404],
    ["GET", `/health/${secretPath}`, "unknown", 404],
    ["POST", "/health/live", "/health/live", 404],
    ["GET", `/users/me?token=${secretPath}`, "/users/me", 401],
  ])("%s %s that fails is logged as %s with the request id of the response", async (method, path, route, status) => {
    const response = await messenger().http(method, path);
    const { requestId } = response.body;
    expect(response.status).toBe(status);
    expect(await log.waitFor({ requestId })).toMatchObject({ route, method, status, level: "info" });
    expect(log.output).not.toContain(secretPath);
  });

  test("that registers, logs in or refreshes is logged with the user", async () => {
    const body = { email: "logged.in@example.test", password, firstName: "Ada" };
    const { user, refreshToken } = (await messenger().http("POST", "/auth/register", { body })).body;
    await messenger().http("POST", "/auth/login", { body: { email: body.email, password } });
    await messenger().http("POST", "/auth/refresh", { body: { refreshToken } });
    for (const route of ["/auth/register", "/auth/login", "/auth/refresh"]) {
      expect(await log.waitFor({ route })).toMatchObject({ userId: user.id });
    }
    expect(log.output).not.toContain(body.email);
  });

  test("with a wrong password is logged with the id of the account if there is one, and never the e-mail", async () => {
    const person = await messenger().person();
    const attempt = (email: string) =>
      messenger().http("POST", "/auth/login", { body: { email, password: "a wrong password" } });
    const known = await attempt(person.email);
    const unknown = await attempt("nobody.at.all@example.test");
    const line = { status: 401, code: "BAD_CREDENTIALS", address: "127.0.0.1" };
    expect(await log.waitFor({ requestId: known.body.requestId })).toMatchObject({ ...line, userId: person.id });
    expect(await log.waitFor({ requestId: unknown.body.requestId })).not.toHaveProperty("userId");
    expect({ ...known.body, requestId: "" }).toEqual({ ...unknown.body, requestId: "" });

    const { token } = person;
    const confirmed = await messenger().http("DELETE", "/users/me", { token, body: { password: "a wrong password" } });
    const reauth = { status: 403, code: "REAUTH_REQUIRED", userId: person.id, address: "127.0.0.1" };
    expect(await log.waitFor({ requestId: confirmed.body.requestId })).toMatchObject(reauth);
    expect(log.output).not.toMatch(/@example/);
  });

  test("that is a health check is not logged at info", async () => {
    await messenger().http("GET", "/health/live");
    await messenger().http("GET", "/health/ready");
    await messenger().http("GET", "/users/me");
    await log.waitFor({ route: "/users/me" });
    expect(log.lines).toHaveLength(1);
  });

  test("that cannot be read is logged with its status, at most once in ten seconds", async () => {
    const { port } = messenger();
    const header = `X: ${"x".repeat(20_000)}\r\n`;
    const texts = ["GARBAGE\r\n\r\n", "GARBAGE\r\n\r\n", `GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n`];
    const statuses = [];
    for (const text of texts) statuses.push((await readToEnd(await openAndSend(port, text))).slice(9, 12));
    expect(statuses).toEqual(["400", "400", "431"]);
    await log.waitFor({ msg: "unreadable or late request", status: 400, address: "127.0.0.1" });
    expect(log.lines).toHaveLength(1);
  });

  test("that is refused because there are too many is only counted after the tenth of an address", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "performance", "queueMicrotask"] });
    const app = createStartupApp({
      http: { maxQueuedRequests: 100, responseTimeoutMs: 1000, trustedProxyHops: 0 },
      log: log.log,
      findReadiness: async () => ({ isReady: false, checks: {} }),
      asAppError,
    });
    const server = createServer(app).listen(0);
    try {
      await once(server, "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (let count = 0; count < 16; count++) await (await fetch(`${url}/users/me`)).text();
      for (let count = 0; count < 12; count++) await (await fetch(`${url}/health/x`)).text();
      expect(log.lines.filter(({ msg, status }) => msg === "request" && status === 503)).toHaveLength(10);
      await jest.advanceTimersByTimeAsync(10_000);
    } finally {
      jest.useRealTimers();
      server.closeAllConnections();
      server.close();
    }
    expect(await log.waitFor({ msg: "further requests refused" })).toMatchObject({
      level: "info",
      address: "127.0.0.1",
      suppressed: 18,
    });
  });

  test("during the start is logged too, also one that is rejected before it is handled", async () => {
    const app = createStartupApp({
      http: { maxQueuedRequests: 1, responseTimeoutMs: 1000, trustedProxyHops: 0 },
      log: log.log,
      findReadiness: async () => ({ isReady: false, checks: {} }),
      asAppError,
    });
    const server = createServer(app).listen(0);
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port);
    socket.write("GET /users/me HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
    for (let text = ""; (text.match(/"requestId"/g) ?? []).length < 3; ) {
      text += String((await once(socket, "data"))[0]);
      for (const [, requestId] of text.matchAll(/"requestId":"([^"]+)"/g)) {
        expect(await log.waitFor({ requestId })).toMatchObject({ status: 503, route: "/users/me" });
      }
    }
    socket.destroy();
    server.close();
  });
});

describe("an upgrade", () => {
  test.each<[string, string, Record<string, string>, object]>([
    ["without a token", "/", {}, { route: "/", status: 401, code: "UNAUTHENTICATED" }],
    ["at another path", `/${secretPath}`, {}, { route: "unknown", status: 404, code: "NOT_FOUND" }],
    ["with a token in the URL", `/?token=${secretPath}`, {}, { route: "/", status: 401 }],
    ["of a foreign origin", "/", { Origin: "null" }, { route: "/", status: 403, code: "FOREIGN_ORIGIN" }],
  ])("that is refused %s is logged with the request id of the response", async (_what, path, headers, fields) => {
    const { port } = messenger();
    const { body } = parse(await readUntilEnd(port, upgradeRequest(port, headers, path)));
    const line = await log.waitFor({ requestId: JSON.parse(body).requestId });
    expect(line).toMatchObject({ level: "info", method: "GET", address: "127.0.0.1", ...fields });
    expect(log.output).not.toContain(secretPath);
  });

  test("of a session that has ended is logged with the user", async () => {
    const { id, token } = await messenger().person();
    await messenger().http("POST", "/auth/logout", { token });
    const { port } = messenger();
    await readUntilEnd(port, upgradeRequest(port, bearer(token)));
    expect(await log.waitFor({ msg: "WebSocket refused" })).toMatchObject({ status: 401, userId: id });
  });

  test("that is no valid handshake is logged", async () => {
    const { token } = await messenger().person();
    const { port } = messenger();
    await readUntilEnd(port, upgradeRequest(port, { ...bearer(token), "Sec-WebSocket-Key": "short" }));
    expect(await log.waitFor({ msg: "WebSocket refused" })).toMatchObject({ status: 400 });
  });
});

describe("a refused frame", () => {
  const frame = (requestId: string) => ({ type: "leaveGroup", params: { groupId: 999 }, requestId });

  test("is logged with type, code, request id, user and the id of the upgrade request", async () => {
    const person = await messenger().person();
    const device = await person.connect();
    const opened = await log.waitFor({ msg: "WebSocket opened" });
    expect(opened).toMatchObject({ status: 101, userId: person.id, address: "127.0.0.1" });
    device.send(frame("r-1"));
    await device.exchange({ type: "privateMessage", params: { receiverId: 1e9, content: "confidential words" } });
    device.send(frame("write to ann@example.test"));
    await device.settle();
    const fields = { level: "info", code: "NOT_MEMBER", userId: person.id, connectionId: opened.requestId };
    const refused = log.lines.filter(({ msg }) => msg === "frame refused");
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ ...fields, type: "leaveGroup", requestId: "r-1" });
    expect(refused[1]).toMatchObject({ type: "privateMessage", code: "NOT_FOUND" });
    expect(refused[2]).not.toHaveProperty("requestId");
    expect(log.output).not.toMatch(/confidential|ann@/);
  });

  test("is only counted after the tenth of a user", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "performance", "queueMicrotask"] });
    const person = await messenger().person();
    const devices = [await person.connect(), await person.connect()];
    for (let count = 0; count < 8; count++) {
      for (const device of devices) await device.exchange(frame(`r-${count}`));
    }
    expect(log.lines.filter(({ msg }) => msg === "frame refused")).toHaveLength(10);
    await jest.advanceTimersByTimeAsync(10_000);
    jest.useRealTimers();
    expect(await log.waitFor({ msg: "further frames refused" })).toMatchObject({ userId: person.id, suppressed: 6 });
  });
});

describe("background work", () => {
  test("that fails warns once until it works again, and not at all during an outage of the database", () => {
    const failures = failureLog(log.log, "storing something");
    const levels = () => log.lines.map(({ level, msg }) => `${level}: ${msg}`);
    failures.succeeded();
    failures.failed(new Error("relation does not exist"));
    failures.failed(new Error("relation does not exist"));
    expect(levels()).toEqual(["warn: storing something failed; retrying"]);
    failures.succeeded();
    failures.succeeded();
    failures.failed(new ConnectionError(new Error("connect ECONNREFUSED")));
    expect(levels()).toEqual(["warn: storing something failed; retrying", "info: storing something works again"]);
  });
});

test("a readable log has ISO times and the level as a word too", () => {
  const destination = new PassThrough();
  createLogger({ level: "info", readable: true, destination }).info({ status: 200 }, "request");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  expect(String(destination.read()).replace(/\u001b\[\d+m/g, "")).toMatch(
    /^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] INFO: request \{"status":200\}\n$/,
  );
});

afterAll(() => {
  jest.useRealTimers();
});
