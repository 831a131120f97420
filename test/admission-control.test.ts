import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { openAndSend, readResponses, readToEnd } from "./support/raw-http.ts";

/* The limits of one HTTP client, and the normal form of URLs. Both apply before routing. */

const responseTimeoutMs = 1000;
const maxQueued = 8;
const messenger = useMessenger({
  ALLOWED_ORIGINS: "https://chat.example.org",
  MAX_WAITING_REQUESTS: String(maxQueued),
  RESPONSE_TIMEOUT_SECONDS: String(responseTimeoutMs / 1000),
});

describe("a client that pipelines requests", () => {
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nOrigin: https://chat.example.org\r\n\r\n`;

  test("gets sixteen requests of one connection answered in order", async () => {
    const paths = Array.from({ length: 16 }, (_, n) => (n % 2 ? "/health/live" : "/users/me"));
    const found = await readResponses(await openAndSend(messenger().port, paths.map(request).join("")), 16);
    expect(found.map((answer) => answer.slice(9, 12))).toEqual(
      paths.map((path) => (path === "/users/me" ? "401" : "200")),
    );
  });

  test("is disconnected when it sends one more, while other clients are answered", async () => {
    const pipelining = await openAndSend(messenger().port, request("/users/me").repeat(1000));
    const answered = readToEnd(pipelining).catch(() => "");
    expect((await messenger().http("GET", "/health/live")).status).toBe(200);
    expect((await answered).match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(16);
  });

  test.each(["/users/me", "/health/x", "/health/live/../x", "/health/livex", "/HEALTH/live"])(
    "gets 503 with Retry-After for requests to %s beyond the queue, while health checks have their own queue",
    async (path) => {
      const socket = await openAndSend(messenger().port, request(path).repeat(15) + request("/health/live"));
      const found = await readResponses(socket, 16);
      const rejected = found.filter((answer) => answer.startsWith("HTTP/1.1 503 "));
      expect(rejected).toHaveLength(15 - maxQueued);
      for (const answer of rejected) {
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

describe("a path", () => {
  test.each(["/health/live", "http://x/health/live", "/x/../health/live", "/health/live?x=1", "/health/live#x"])(
    "written as %s reaches its route",
    async (path) => {
      const socket = await openAndSend(messenger().port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    },
  );

  test.each(["/nowhere", "//", "http://[/", "/auth/LOGIN", "/auth/login/", "/auth/log%69n"])(
    "written as %s reaches no route",
    async (path) => {
      const socket = await openAndSend(messenger().port, `POST ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await readResponses(socket, 1))[0]).toMatch(/^HTTP\/1\.1 (404|400) /);
      socket.destroy();
    },
  );
});

test("a client that reads its responses too slowly is disconnected after the timeout", async () => {
  const asset = "/api/swagger-ui-bundle.js";
  const size = Number((await fetch(`http://127.0.0.1:${messenger().port}${asset}`)).headers.get("content-length"));
  const socket = await openAndSend(messenger().port, `GET ${asset} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(maxQueued));
  const slowUntil = performance.now() + 3 * responseTimeoutMs;
  let receivedBytes = 0;
  for await (const chunk of socket) {
    receivedBytes += chunk.length;
    if (performance.now() < slowUntil) await wait(200);
  }
  expect(receivedBytes).toBeGreaterThan(0);
  expect(receivedBytes).toBeLessThan(maxQueued * size);
});
