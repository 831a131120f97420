import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { Device } from "./support/device.ts";
import { password, useMessenger } from "./support/messenger.ts";
import { openAndSend, readResponses, readToEnd } from "./support/raw-http.ts";

/* Origins, connections, slow and unusual clients, and headers of every response. */

const timeoutMs = 1000;
const messenger = useMessenger({
  ALLOWED_ORIGINS: "https://chat.example.org,http://other.example.org:8080",
  HEADERS_TIMEOUT_SECONDS: "1",
  REQUEST_TIMEOUT_SECONDS: "1",
});

const url = (path = "") => `http://127.0.0.1:${messenger().port}${path}`;

describe("a page of an allowed origin", () => {
  const preflight = (origin: string, path = "/auth/login") =>
    fetch(url(path), {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });

  test.each(["https://chat.example.org", "http://other.example.org:8080"])(
    "%s may call every route",
    async (origin) => {
      const preflighted = await preflight(origin);
      expect(preflighted.status).toBe(204);
      expect(preflighted.headers.get("access-control-allow-origin")).toBe(origin);
      expect(preflighted.headers.get("access-control-allow-headers")).toBe("Authorization,Content-Type");
      expect(preflighted.headers.get("access-control-allow-methods")).toMatch(/PUT.*PATCH.*DELETE/);
      const answer = await messenger().http("POST", "/auth/login", { headers: { origin }, body: {} });
      expect(answer.status).toBe(400);
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("access-control-expose-headers")).toBe("Retry-After");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
      expect(answer.headers.get("vary")).toMatch(/Origin/);
      const info = await messenger().http("GET", "/api/info", { headers: { origin } });
      expect(info).toMatchObject({ status: 200, body: { name: "Messenger" } });
      expect(info.headers.get("access-control-allow-origin")).toBe(origin);
    },
  );

  test.each([
    "https://evil.example.org",
    "https://chat.example.org.evil.example.org",
    "https://chat.example.org:8443",
    "http://chat.example.org",
    "HTTPS://CHAT.EXAMPLE.ORG",
    "null",
    "*",
    "",
  ])("is not recognised by the origin %j, which gets no CORS headers", async (origin) => {
    for (const answer of [await preflight(origin), await fetch(url("/users/me"), { headers: { origin } })]) {
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});

describe("every response", () => {
  test("has the security headers and does not name the software", async () => {
    const { token } = await messenger().person();
    for (const path of ["/users/me", "/nowhere", "/health/live", "/api/openapi.json", "/api/websocket"]) {
      const { headers } = await messenger().http("GET", path, { token });
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
      expect(headers.get("content-security-policy")).toMatch(/default-src 'self'/);
      expect(headers.get("content-security-policy")).not.toMatch(/upgrade-insecure-requests/);
      expect(headers.get("x-powered-by")).toBeNull();
      expect(headers.get("server")).toBeNull();
    }
  });

  test("with tokens forbids caching", async () => {
    const body = { email: "kept@example.test", password, firstName: "Ada" };
    const registered = await messenger().http("POST", "/auth/register", { body });
    const loggedIn = await messenger().http("POST", "/auth/login", { body: { email: body.email, password } });
    const { refreshToken } = loggedIn.body;
    const refreshed = await messenger().http("POST", "/auth/refresh", { body: { refreshToken } });
    for (const answer of [registered, loggedIn, refreshed]) {
      expect(answer.body.token).toEqual(expect.any(String));
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("a client that is slow", () => {
  const head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

  test.each([
    ["sends nothing", ""],
    ["does not finish its headers", `${head}X-More: `],
    ["does not finish its body", `${head}Content-Length: 100\r\n\r\n{"email":`],
    ["does not finish its chunks", `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"ema\r\n`],
  ])("and %s gets 408 and is disconnected", async (_what, text) => {
    const startedAt = performance.now();
    const answer = await readToEnd(await openAndSend(messenger().port, text));
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
    expect(performance.now() - startedAt).toBeGreaterThan(timeoutMs - 100);
    expect((await messenger().http("GET", "/health/live")).status).toBe(200);
  });

  test("and sends one header at a time gets no extra time", async () => {
    const socket = await openAndSend(messenger().port, "GET /health/live HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => socket.write("X-Drip: 1\r\n"), 50);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  test("is not disconnected while its WebSocket is open", async () => {
    const { token } = await messenger().person();
    const device = await Device.connect(url().replace("http", "ws"), { headers: { authorization: `Bearer ${token}` } });
    // An HTTP client that times out meanwhile proves that the time has passed.
    await readToEnd(await openAndSend(messenger().port, ""));
    await device.settle();
    await device.close();
  });
});

describe("an offer to upgrade to HTTP/2", () => {
  const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";

  test("is ignored: the request and the next one on the connection are answered normally", async () => {
    const socket = await openAndSend(messenger().port, `GET /health/live HTTP/1.1\r\nHost: x\r\n${offer}\r\n`);
    const [first] = await readResponses(socket, 1);
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\{"status":"live"\}$/);
    socket.write("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 404 /);
    socket.destroy();
  });

  test("with a body is answered, and so is the pipelined request after it", async () => {
    const body = JSON.stringify({ email: "nobody@example.test", password });
    const length = Buffer.byteLength(body);
    const login = `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n`;
    const socket = await openAndSend(
      messenger().port,
      `${login}${offer}\r\n${body}GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    const [first, second] = await readResponses(socket, 2);
    expect(first).toMatch(/^HTTP\/1\.1 401 [\s\S]*BAD_CREDENTIALS/);
    expect(second).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test("waits for a late body and times out without one", async () => {
    const body = JSON.stringify({ email: "nobody@example.test", password });
    const login = `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${offer}\r\n`;
    const socket = await openAndSend(messenger().port, login);
    await messenger().http("GET", "/health/live");
    socket.write(body);
    expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
    expect(await readToEnd(await openAndSend(messenger().port, login))).toMatch(/^HTTP\/1\.1 408 /);
  });

  const get = (path: string, headers = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
  const body = JSON.stringify({ email: "nobody@example.test", password });
  const login = (headers: string) =>
    `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}`;
  const sized = login(`Content-Length: ${body.length}\r\n${offer}`);
  const chunked = login(`Transfer-Encoding: chunked\r\n${offer}`);
  const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  test.each<[string, string[], number[]]>([
    ["second", [get("/nowhere"), get("/health/live", offer), get("/nowhere")], [404, 200, 404]],
    ["third", [get("/nowhere"), get("/health/live"), get("/nowhere", offer), get("/api/")], [404, 200, 404, 200]],
    ["several times", Array.from({ length: 12 }, () => get("/health/live", offer)), Array<number>(12).fill(200)],
    ["with a body", [get("/nowhere"), `${sized}\r\n${body}`, get("/health/live")], [404, 401, 200]],
    ["with chunks", [get("/nowhere"), `${chunked}\r\n${chunks}`, get("/health/live")], [404, 401, 200]],
    ["after a body", [`${sized}\r\n${body}`, `${chunked}\r\n${chunks}`, get("/health/live", offer)], [401, 401, 200]],
    ["after a large response", [get("/api/swagger-ui-bundle.js"), get("/health/live", offer)], [200, 200]],
    [
      "for another protocol",
      [get("/nowhere"), get("/health/live", "Connection: upgrade\r\nUpgrade: foo/1\r\n")],
      [404, 200],
    ],
  ])("that is pipelined %s is answered, and so are the other requests, in order", async (_what, requests, statuses) => {
    const socket = await openAndSend(messenger().port, requests.join(""));
    const found = await readResponses(socket, statuses.length);
    expect(found.map((response) => Number(response.slice(9, 12)))).toEqual(statuses);
    socket.write(get("/health/live"));
    expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test("that is pipelined and whose body comes late is answered", async () => {
    const socket = await openAndSend(
      messenger().port,
      `${login(`Content-Length: ${body.length}\r\n`)}\r\n${body}${sized}\r\n`,
    );
    await messenger().http("GET", "/health/live");
    socket.write(body.slice(0, 5));
    await messenger().http("GET", "/health/live");
    socket.write(body.slice(5));
    const found = await readResponses(socket, 2);
    expect(found.map((response) => response.slice(9, 12))).toEqual(["401", "401"]);
    socket.destroy();
  });

  test("by a client that resets the connection affects no others", async () => {
    for (let round = 0; round < 10; round++) {
      const socket = await openAndSend(messenger().port, `GET /health/live HTTP/1.1\r\nHost: x\r\n${offer}\r\n`);
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    expect((await messenger().http("GET", "/health/ready")).status).toBe(200);
  });
});

describe("connections", () => {
  const limited = useMessenger({ MAX_CONNECTIONS: "20", MAX_SOCKETS: "10" });
  const request = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

  /** Opens a connection from this loopback address. */
  async function openFrom(localAddress: string): Promise<Socket> {
    const socket = connect({ port: limited().port, host: "127.0.0.1", localAddress });
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  const isServed = async (socket: Socket): Promise<boolean> => {
    socket.write(request);
    return (await readResponses(socket, 1).catch(() => [""]))[0]?.startsWith("HTTP/1.1 200 ") ?? false;
  };

  test("of one address fill at most half of the process", async () => {
    const idle: Socket[] = [];
    for (let count = 0; count < 15; count++) idle.push((await openFrom("127.0.0.2")).resume());
    await Promise.all(idle.slice(10).map((socket) => socket.closed || once(socket, "close")));
    expect(idle.slice(0, 10).every((socket) => !socket.destroyed)).toBe(true);
    const other = await openFrom("127.0.0.3");
    expect(await isServed(other)).toBe(true);
    for (const socket of [...idle, other]) await closed(socket.destroy());
  });

  test("of refused upgrades count too", async () => {
    const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const refused: Socket[] = [];
    for (let count = 0; count < 15; count++) {
      const socket = await openFrom("127.0.0.4");
      socket.write(upgrade);
      refused.push(socket);
    }
    expect(await isServed(await openFrom("127.0.0.4"))).toBe(false);
    const other = await openFrom("127.0.0.3");
    expect(await isServed(other)).toBe(true);
    for (const socket of [...refused, other]) await closed(socket.destroy());
  });

  test("that are idle make room for new ones, the longest idle of the address with most of them first", async () => {
    const { token } = await limited().person();
    const device = await limited().connect(token);
    const few = await openFrom("127.0.0.5");
    const many: Socket[] = [];
    for (let count = 0; count < 10; count++) many.push(await openFrom("127.0.0.2"));
    expect(await isServed(many[0] as Socket)).toBe(true);
    const later: Socket[] = [];
    for (let count = 0; count < 10; count++) {
      const socket = await openFrom(`127.0.0.${10 + count}`);
      expect(await isServed(socket)).toBe(true);
      later.push(socket);
    }
    expect(await isServed(few)).toBe(true);
    await device.settle();
    expect(many.slice(1).some((socket) => socket.destroyed || socket.readableEnded)).toBe(true);
    expect(await isServed(many[0] as Socket)).toBe(true);
    for (const socket of [few, ...many, ...later]) socket.destroy();
  });
});

describe("connections behind a proxy", () => {
  const proxied = useMessenger({ MAX_CONNECTIONS: "20", TRUSTED_PROXY_HOPS: "1" });

  test("have no limit per address, and idle ones make room for new ones", async () => {
    const sockets: Socket[] = [];
    for (let count = 0; count < 30; count++) {
      const socket = await openAndSend(proxied().port, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
      expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 200 /);
      sockets.push(socket);
    }
    for (const socket of sockets) await closed(socket.destroy());
  });
});

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, "close");
}
