import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { Device } from "./support/device.ts";
import { recordOutput } from "./support/leak-scan.ts";
import { password, useMessenger } from "./support/messenger.ts";

/* Who gets in, and what everyone else is told: whole HTTP answers, read here from a bare TCP connection. */

const messenger = useMessenger({
  RATE_LIMITS: "off",
  ALLOWED_ORIGINS: "https://chat.example.org,http://other.example.org:8080",
});

const url = () => `ws://127.0.0.1:${messenger().port}`;

interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
  /** Everything that came, as it came. */
  text: string;
}

function parse(text: string): Answer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: new Map(lines.map((line) => [line.split(":")[0]?.toLowerCase() ?? "", line.replace(/^[^:]*: */, "")])),
    body: rest.join("\r\n\r\n"),
    text,
  };
}

/** How long the server may take, in milliseconds. */
const patienceMs = 5000;

const heard = (socket: Socket, event: "connect" | "data" | "end" | "close"): Promise<unknown[]> =>
  once(socket, event, { signal: AbortSignal.timeout(patienceMs) }).catch((cause) => {
    throw new Error(`waited in vain for "${event}" on the connection`, { cause });
  });

const connectRaw = async (): Promise<Socket> => {
  const socket = connect(messenger().port, "127.0.0.1");
  socket.on("error", () => {});
  await heard(socket, "connect");
  return socket;
};

const upgradeRequest = (headers: Record<string, string> = {}, path = "/"): string => {
  const all = {
    Host: `127.0.0.1:${messenger().port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
};

/** Sends bytes and gives all that comes back until the server ends the connection, without ending it ourselves. */
async function untilTheServerEnds(bytes: string | Buffer): Promise<string> {
  const socket = await connectRaw();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = heard(socket, "end");
  socket.write(bytes);
  await ended;
  recordOutput(Buffer.concat(chunks).toString());
  return Buffer.concat(chunks).toString();
}

/** Asks for an upgrade that must be refused, and checks that the refusal is a whole HTTP answer. */
async function refusal(headers: Record<string, string>, path?: string): Promise<Answer> {
  const answer = parse(await untilTheServerEnds(upgradeRequest(headers, path)));
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
  const answer = await refusal(headers, path);
  expect(answer.text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** An accepted upgrade: the head of the 101 answer. */
async function accepted(headers: Record<string, string>): Promise<Answer> {
  const socket = await connectRaw();
  socket.write(upgradeRequest(headers));
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const [chunk] = await heard(socket, "data");
    text += String(chunk);
  }
  socket.destroy();
  const answer = parse(text);
  expect(answer.status).toBe(101);
  return answer;
}

describe("an upgrade is let in", () => {
  test("with the token in the Authorization header, whatever the case of the scheme", async () => {
    const { token } = await messenger().person();
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const device = await Device.connect(url(), { headers: { authorization: `${scheme} ${token}` } });
      await device.settle();
      await device.close();
    }
  });

  test("with the token among the subprotocols, as browsers must, and never hears it echoed", async () => {
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

  test("with the header although it offers no subprotocol or unknown ones, and is promised none", async () => {
    const { token } = await messenger().person();
    for (const offer of [{}, { "Sec-WebSocket-Protocol": "chat, superchat" }]) {
      const answer = await accepted({ ...bearer(token), ...offer });
      expect(answer.headers.has("sec-websocket-protocol")).toBe(false);
    }
    const silent = await accepted({ "Sec-WebSocket-Protocol": `bearer.${token}` });
    expect(silent.text).not.toContain(token);
  });

  test("without an Origin, from the server's own, and from those that are allowed", async () => {
    const { token } = await messenger().person();
    const own = `http://127.0.0.1:${messenger().port}`;
    for (const origin of [own, "https://chat.example.org", "http://other.example.org:8080"]) {
      const device = await Device.connect(url(), { headers: { authorization: `Bearer ${token}` }, origin });
      await device.settle();
      await device.close();
      await Device.connect(url(), { origin, protocols: ["messenger.v1", `bearer.${token}`] }).then((it) => it.close());
    }
  });

  test("and its first frames are heard although they came right behind the request", async () => {
    const { token } = await messenger().person();
    const socket = await connectRaw();
    const frame = '{"type":"listLastMessage","params":{"limit":1,"page":1}}';
    const masked = Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), Buffer.from(frame)]);
    socket.write(Buffer.concat([Buffer.from(upgradeRequest(bearer(token))), masked]));
    let text = "";
    while (!text.includes('"success":true')) text += String((await heard(socket, "data"))[0]);
    expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*"type":"listLastMessage"/);
    socket.destroy();
  });
});

describe("an upgrade is refused with a whole HTTP answer and the end of the connection", () => {
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
    await messenger().http("DELETE", "/users/me", { token: person.token, body: { password } });
    await expectUnauthorized(bearer(person.token));
    await expectUnauthorized({ "Sec-WebSocket-Protocol": `messenger.v1, bearer.${person.token}` });
  });

  test("with the token in the address, which gets logged and is not read: 401", async () => {
    const { token } = await messenger().person();
    for (const query of [`token=${token}`, `access_token=${token}`, `authorization=Bearer%20${token}`]) {
      await expectUnauthorized({}, `/?${query}`);
    }
  });

  test("at another address: 404, with or without a token", async () => {
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
        const answer = await refusal(headers, path);
        expect(answer.text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
        expect(JSON.parse(answer.body).code).toBe("NOT_FOUND");
      }
    }
  });

  test("from a foreign origin: 403, were its token the best", async () => {
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
        const answer = await refusal({ ...headers, Origin: origin });
        expect({ origin, status: answer.status }).toEqual({ origin, status: 403 });
        expect(JSON.parse(answer.body).code).toBe("FOREIGN_ORIGIN");
      }
    }
  });

  test("that is no proper WebSocket handshake: an error, even with a token", async () => {
    const { token } = await messenger().person();
    const broken = [
      { "Sec-WebSocket-Key": "short" },
      { "Sec-WebSocket-Version": "7" },
      { "Sec-WebSocket-Protocol": "a,,b" },
    ];
    for (const headers of broken) {
      const { status } = parse(await untilTheServerEnds(upgradeRequest({ ...bearer(token), ...headers })));
      expect([400, 426]).toContain(status);
    }
  });
});

describe("nobody is harmed", () => {
  /** Two people who are connected before; afterwards they must still be, and able to talk. */
  async function expectUnharmed(harm: (token: string) => Promise<void>): Promise<void> {
    const [ann, bob, vandal] = [await messenger().person(), await messenger().person(), await messenger().person()];
    const [annsDevice, bobsDevice] = [await ann.connect(), await bob.connect()];
    await harm(vandal.token);
    await annsDevice.request("privateMessage", { receiverId: bob.id, content: "still here?" });
    expect((await bobsDevice.nextPush()).params.message).toBe("still here?");
    await (await vandal.connect()).settle();
    expect((await messenger().http("GET", "/health/ready")).status).toBe(200);
  }

  test("by clients that reset the connection in the middle of the upgrade", async () => {
    await expectUnharmed(async (token) => {
      const requests = [
        upgradeRequest(bearer(token)),
        upgradeRequest(bearer("garbage")),
        upgradeRequest({}, "/elsewhere"),
        upgradeRequest({ ...bearer(token), Origin: "https://evil.example.org" }),
        upgradeRequest(bearer(token)).slice(0, 60),
      ];
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          requests.map(async (request) => {
            const socket = await connectRaw();
            const closed = heard(socket, "close");
            await new Promise<void>((sent) => socket.write(request, () => sent()));
            if (round % 2) socket.resetAndDestroy();
            else socket.destroy();
            await closed;
          }),
        );
      }
    });
  });

  test("by clients that reset the connection in the moment they are let in or refused", async () => {
    await expectUnharmed(async (token) => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          [bearer(token), bearer("garbage")].map(async (headers) => {
            const socket = await connectRaw();
            const closed = heard(socket, "close");
            socket.once("data", () => socket.resetAndDestroy());
            socket.write(upgradeRequest(headers));
            await closed;
          }),
        );
      }
    });
  });

  test("by clients that break off an open socket without a word", async () => {
    await expectUnharmed(async (token) => {
      for (let round = 0; round < 10; round++) {
        const socket = await connectRaw();
        const closed = heard(socket, "close");
        socket.write(upgradeRequest(bearer(token)));
        await heard(socket, "data");
        // The beginning of a frame whose rest never comes.
        await new Promise<void>((sent) => socket.write(Buffer.from([0x81, 0xfe, 0x10]), () => sent()));
        socket.resetAndDestroy();
        await closed;
      }
    });
  });

  test("by garbage on the port, which is answered 400 or nothing, and hung up on", async () => {
    await expectUnharmed(async () => {
      const garbage = [
        Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
        Buffer.alloc(2000, 0xff),
        Buffer.from("GET / HTTP/9.9\r\n\r\n"),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"),
        Buffer.from("\u0000\u0000\u0000\u0000\r\n\r\n"),
        Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(70_000)}\r\n\r\n`),
        Buffer.from(upgradeRequest({ "Bad Header": "x" })),
      ];
      for (const bytes of garbage) {
        const text = await untilTheServerEnds(bytes);
        if (text !== "") expect([400, 431, 505]).toContain(parse(text).status);
      }
    });
  });
});
