import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { readResponses, readToEnd, openAndSend } from "./support/raw-http.ts";

/* What one client may take of the HTTP side, and how it reads addresses: before any route is asked. */

const answersWithinMs = 1000;
const mostWaiting = 8;
const messenger = useMessenger({
  ALLOWED_ORIGINS: "https://chat.example.org",
  MAX_WAITING_REQUESTS: String(mostWaiting),
  RESPONSE_TIMEOUT_SECONDS: String(answersWithinMs / 1000),
});

describe("a client that asks before it is answered", () => {
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nOrigin: https://chat.example.org\r\n\r\n`;

  test("is answered sixteen requests of one connection, each in its turn", async () => {
    const paths = Array.from({ length: 16 }, (_, n) => (n % 2 ? "/health/live" : "/users/me"));
    const found = await readResponses(await openAndSend(messenger().port, paths.map(request).join("")), 16);
    expect(found.map((answer) => answer.slice(9, 12))).toEqual(
      paths.map((path) => (path === "/users/me" ? "401" : "200")),
    );
  });

  test("is hung up on when it asks for one more, and whoever asks one at a time is answered", async () => {
    const greedy = await openAndSend(messenger().port, request("/users/me").repeat(1000));
    const answered = readToEnd(greedy).catch(() => "");
    expect((await messenger().http("GET", "/health/live")).status).toBe(200);
    expect((await answered).match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(16);
  });

  test.each(["/users/me", "/health/x", "/health/live/../x", "/health/livex", "/HEALTH/live"])(
    "is refused at once what finds no room in the line, as %s, and told when to come back; health has a line of its own",
    async (path) => {
      const socket = await openAndSend(messenger().port, request(path).repeat(15) + request("/health/live"));
      const found = await readResponses(socket, 16);
      const refused = found.filter((answer) => answer.startsWith("HTTP/1.1 503 "));
      expect(refused).toHaveLength(15 - mostWaiting);
      for (const answer of refused) {
        expect(answer).toMatch(/^Retry-After: 1\r$/m);
        expect(answer).toMatch(/"code":"UNAVAILABLE"/);
        expect(answer).toMatch(/^Access-Control-Allow-Origin: https:\/\/chat.example.org\r$/m);
        expect(answer).toMatch(/^X-Content-Type-Options: nosniff\r$/m);
        expect(answer).toMatch(/^Content-Security-Policy: default-src 'self'/m);
      }
      expect(found.at(-1)).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    },
  );
});

describe("an address", () => {
  test.each(["/health/live", "http://x/health/live", "/x/../health/live", "/health/live?x=1", "/health/live#x"])(
    "written as %s is found",
    async (path) => {
      const socket = await openAndSend(messenger().port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    },
  );

  test.each(["/nowhere", "//", "http://[/", "/auth/LOGIN", "/auth/login/", "/auth/log%69n"])(
    "written as %s is not",
    async (path) => {
      const socket = await openAndSend(messenger().port, `POST ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 (404|400) /);
      socket.destroy();
    },
  );
});

test("a client that takes its answers in small sips is hung up on when the time for them is over", async () => {
  const asset = "/api/swagger-ui-bundle.js";
  const size = Number((await fetch(`http://127.0.0.1:${messenger().port}${asset}`)).headers.get("content-length"));
  const socket = await openAndSend(messenger().port, `GET ${asset} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(mostWaiting));
  const sipUntil = performance.now() + 3 * answersWithinMs;
  let taken = 0;
  for await (const chunk of socket) {
    taken += chunk.length;
    if (performance.now() < sipUntil) await wait(200);
  }
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(mostWaiting * size);
});
