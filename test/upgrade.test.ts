import { describe, expect, test } from "@jest/globals";
import { Device } from "./support/device.ts";
import { password, useMessenger } from "./support/messenger.ts";
import {
  bearer,
  connectRaw,
  nextEvent,
  parse,
  type RawAnswer,
  readUntilEnd,
  upgradeRequest,
} from "./support/raw-upgrade.ts";
import { deleteAccount } from "./support/scenes.ts";

/* The upgrade: accepted and rejected requests, as complete HTTP responses read from a plain TCP connection. */

const messenger = useMessenger({
  ALLOWED_ORIGINS:
    "https://chat.example.org,http://other.example.org:8080,HTTPS://UPPER.example.org:443,http://default.example.org:80",
});

const port = () => messenger().port;
const url = () => `ws://127.0.0.1:${port()}`;

/** Requests an upgrade that must be rejected, and checks that the response is complete. */
async function rejection(headers: Record<string, string>, path?: string): Promise<RawAnswer> {
  const answer = parse(await readUntilEnd(port(), upgradeRequest(port(), headers, path)));
  expect(answer.text).toMatch(/^HTTP\/1\.1 \d{3} [A-Z][A-Za-z ]+\r\n/);
  expect(Number(answer.headers.get("content-length"))).toBe(Buffer.byteLength(answer.body));
  expect(answer.headers.get("connection")).toBe("close");
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(JSON.parse(answer.body)).toEqual({
    type: "about:blank",
    title: expect.any(String),
    status: answer.status,
    detail: expect.any(String),
    code: expect.any(String),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  return answer;
}

async function expectUnauthorized(headers: Record<string, string>, path?: string): Promise<void> {
  const answer = await rejection(headers, path);
  expect(answer.text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
}

/** The head of the 101 response to an accepted upgrade. */
async function accepted(headers: Record<string, string>): Promise<RawAnswer> {
  const socket = await connectRaw(port());
  socket.write(upgradeRequest(port(), headers));
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const [chunk] = await nextEvent(socket, "data");
    text += String(chunk);
  }
  socket.destroy();
  const answer = parse(text);
  expect(answer.status).toBe(101);
  return answer;
}

describe("an upgrade is accepted", () => {
  test("with the token in the Authorization header, whatever the case of the scheme", async () => {
    const { token } = await messenger().person();
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const device = await Device.connect(url(), { headers: { authorization: `${scheme} ${token}` } });
      await device.settle();
      await device.close();
    }
  });

  test("with the token among the subprotocols, as browsers send it, and the token is not echoed", async () => {
    const { token } = await messenger().person();
    for (const protocols of [
      ["messenger.v1", `bearer.${token}`],
      [`bearer.${token}`, "messenger.v1"],
    ]) {
      const device = await Device.connect(url(), { protocols });
      expect(device.socket.protocol).toBe("messenger.v1");
      await device.settle();
      await device.close();
      const answer = await accepted({ "Sec-WebSocket-Protocol": protocols.join(", ") });
      expect(answer.headers.get("sec-websocket-protocol")).toBe("messenger.v1");
      expect(answer.text).not.toContain("bearer");
      expect(answer.text).not.toContain(token);
    }
  });

  test("with the header and no or unknown subprotocols, and none is selected", async () => {
    const { token } = await messenger().person();
    for (const offer of [{}, { "Sec-WebSocket-Protocol": "chat, superchat" }]) {
      const answer = await accepted({ ...bearer(token), ...offer });
      expect(answer.headers.has("sec-websocket-protocol")).toBe(false);
    }
    const withoutOffer = await accepted({ "Sec-WebSocket-Protocol": `bearer.${token}` });
    expect(withoutOffer.text).not.toContain(token);
  });

  test("without an Origin, from the server's own origin, and from allowed origins", async () => {
    const { token } = await messenger().person();
    const own = `http://127.0.0.1:${messenger().port}`;
    for (const origin of [own, "https://chat.example.org", "http://other.example.org:8080"]) {
      const device = await Device.connect(url(), { headers: { authorization: `Bearer ${token}` }, origin });
      await device.settle();
      await device.close();
      await Device.connect(url(), { origin, protocols: ["messenger.v1", `bearer.${token}`] }).then((device) =>
        device.close(),
      );
    }
  });

  test.each([
    ["name.example:443", "https://name.example"],
    ["name.example", "https://name.example:443"],
    ["name.example:80", "http://name.example"],
    ["NAME.example", "https://name.EXAMPLE"],
    ["name.example:8443", "https://name.example:8443"],
    ["[::1]:443", "https://[::1]"],
    ["anything.example", "https://chat.example.org:443"],
    ["anything.example", "https://upper.example.org"],
    ["anything.example", "http://default.example.org"],
  ])("at the host %s from its own or an allowed origin %s", async (host, origin) => {
    const { token } = await messenger().person();
    await accepted({ ...bearer(token), Host: host, Origin: origin });
  });

  test("behind a response in progress is done after it", async () => {
    const { token } = await messenger().person();
    const socket = await connectRaw(port());
    const first = "GET /api/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write(first + upgradeRequest(port(), bearer(token)));
    let text = "";
    while (!text.includes("HTTP/1.1 101 ")) text += String((await nextEvent(socket, "data"))[0]);
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    const [head = "", ...rest] = text.slice(0, text.indexOf("HTTP/1.1 101 ")).split("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(Buffer.byteLength(rest.join("\r\n\r\n"))).toBe(length);
    socket.destroy();
  });

  test("and frames that arrive together with the request are processed", async () => {
    const { token } = await messenger().person();
    const socket = await connectRaw(port());
    const frame = '{"type":"listLastMessage","params":{"limit":1,"page":1}}';
    const masked = Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), Buffer.from(frame)]);
    socket.write(Buffer.concat([Buffer.from(upgradeRequest(port(), bearer(token))), masked]));
    let text = "";
    while (!text.includes('"success":true')) text += String((await nextEvent(socket, "data"))[0]);
    expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*"type":"listLastMessage"/);
    socket.destroy();
  });
});

describe("an upgrade is rejected with a complete HTTP response and the end of the connection", () => {
  test.each<[string, Record<string, string>]>([
    ["without a token", {}],
    ["with an empty header", { Authorization: "" }],
    ["with a scheme only", { Authorization: "Bearer " }],
    ["with garbage", bearer("garbage")],
    ["with garbage of three parts", bearer("a.b.c")],
    ["with the seed's invalid token", bearer("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6MX0.x")],
    ["with garbage among the subprotocols", { "Sec-WebSocket-Protocol": "messenger.v1, bearer.garbage" }],
    ["with an empty token among the subprotocols", { "Sec-WebSocket-Protocol": "messenger.v1, bearer." }],
    ["with the subprotocol alone", { "Sec-WebSocket-Protocol": "messenger.v1" }],
    ["with a header of 8 KiB", bearer("x".repeat(8000))],
  ])("%s: 401", async (_what, headers) => {
    await expectUnauthorized(headers);
  });

  test("with the token of a session that has ended: 401", async () => {
    const person = await messenger().person();
    const { body } = await messenger().http("POST", "/auth/login", { body: { email: person.email, password } });
    await accepted(bearer(body.token));
    await messenger().http("PUT", "/users/me/password", {
      token: person.token,
      body: { oldPassword: password, newPassword: "another long sentence" },
    });
    await expectUnauthorized(bearer(body.token));
    await accepted(bearer(person.token));
  });

  test("with the token of a deleted account: 401", async () => {
    const person = await messenger().person();
    await deleteAccount(messenger(), person);
    await expectUnauthorized(bearer(person.token));
    await expectUnauthorized({ "Sec-WebSocket-Protocol": `messenger.v1, bearer.${person.token}` });
  });

  test("with the token in the URL, which is not read: 401", async () => {
    const { token } = await messenger().person();
    for (const query of [`token=${token}`, `access_token=${token}`, `authorization=Bearer%20${token}`]) {
      await expectUnauthorized({}, `/?${query}`);
    }
  });

  test("at another path: 404, with or without a token", async () => {
    const { token } = await messenger().person();
    for (const path of [
      "/ws",
      "/socket.io/?EIO=4&transport=websocket",
      "/users/me",
      "/api",
      "//",
      "/%2f",
      "/health/live",
    ]) {
      for (const headers of [bearer(token), {}]) {
        const answer = await rejection(headers, path);
        expect(answer.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
        expect(JSON.parse(answer.body).code).toBe("NOT_FOUND");
      }
    }
  });

  test("from a foreign origin: 403, also with a valid token", async () => {
    const { token } = await messenger().person();
    const { port } = messenger();
    const foreign = [
      "https://evil.example.org",
      "https://chat.example.org.evil.example.org",
      "https://chat.example.org:8443",
      "http://chat.example.org",
      "http://other.example.org",
      `http://localhost:${port}`,
      `http://127.0.0.1:${port + 1}`,
      `http://127.0.0.1:${port}@evil.example.org`,
      "null",
      "garbage",
    ];
    for (const origin of foreign) {
      for (const headers of [bearer(token), { "Sec-WebSocket-Protocol": `messenger.v1, bearer.${token}` }]) {
        const answer = await rejection({ ...headers, Origin: origin });
        expect({ origin, status: answer.status }).toEqual({ origin, status: 403 });
        expect(JSON.parse(answer.body).code).toBe("FOREIGN_ORIGIN");
      }
    }
  });

  test.each([
    ["name.example:443", "http://name.example"],
    ["name.example:80", "https://name.example"],
    ["name.example", "https://name.example:444"],
    ["name.example", "https://other.example"],
    ["null", "null"],
    ["name.example", "https://name.example@evil.example"],
    ["evil.example@name.example", "https://name.example"],
    ["name.example", "https://name.example/path"],
    ["name.example", "ws://name.example"],
    ["", "https://"],
  ])("at the host %j from the foreign origin %s: 403", async (host, origin) => {
    const { token } = await messenger().person();
    expect((await rejection({ ...bearer(token), Host: host, Origin: origin })).status).toBe(403);
  });

  test("that is no valid WebSocket handshake: an error, also with a token", async () => {
    const { token } = await messenger().person();
    const broken = [
      { "Sec-WebSocket-Key": "short" },
      { "Sec-WebSocket-Version": "7" },
      { "Sec-WebSocket-Protocol": "a,,b" },
    ];
    for (const headers of broken) {
      const { status } = parse(await readUntilEnd(port(), upgradeRequest(port(), { ...bearer(token), ...headers })));
      expect([400, 426]).toContain(status);
    }
  });
});
