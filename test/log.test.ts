import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import express from "express";
import { DatabaseError } from "sequelize";
import { asAppError } from "../src/db/database-errors.ts";
import { errorHandler } from "../src/http/error-handler.ts";
import { requestLog } from "../src/http/request-log.ts";
import { createLogger, type Logger } from "../src/logger.ts";
import { findSecrets } from "./support/leak-scan.ts";

/* What may appear in a log. The output of the whole test run is scanned as well: see support/leak-scan.ts. */

const text = "the text of a private message";

/** The line that this call writes to the log. */
function logged(write: (log: Logger) => void): string {
  let lines = "";
  const destination = {
    write(line: string) {
      lines += line;
    },
  };
  write(createLogger({ level: "trace", readable: false, destination }));
  return lines;
}

describe("a log line", () => {
  const names = ["password", "oldPassword", "newPassword", "token", "refreshToken", "authorization", "content"];

  test.each(names)("never shows a %s, at the top level of the logged object or up to two levels below", (name) => {
    for (const object of [{ [name]: text }, { a: { [name]: text } }, { a: { b: { [name]: text } } }]) {
      const line = logged((log) => log.info(object, "something happened"));
      expect(line).not.toContain(text);
      expect(line).toContain("[secret]");
      expect(line).toContain("something happened");
    }
  });

  test("about an error shows name, message, code and origin, but no SQL, values or stack", () => {
    const parent = Object.assign(new Error("canceling statement due to lock timeout"), {
      code: "55P03",
      sql: `INSERT INTO messages (content) VALUES ('${text}')`,
      parameters: [text],
      detail: `Failing row contains (${text})`,
    });
    const error = new DatabaseError(parent);
    const line = logged((log) => log.warn({ err: error }, "it failed"));
    expect(line).toContain("canceling statement due to lock timeout");
    expect(line).toContain("it failed");
    expect(findSecrets(line.split("\n"), [text])).toEqual([]);
    expect(line.trimEnd().split("\n")).toHaveLength(1);
  });
});

test("an HTTP request that fails with 500 is logged with its cause and the request id of the response", async () => {
  const lines: string[] = [];
  const log = createLogger({ level: "info", readable: false, destination: { write: (line) => void lines.push(line) } });
  const app = express().use(requestLog(log));
  app.get("/", () => {
    throw new DatabaseError(Object.assign(new Error('relation "blocks" does not exist'), { code: "42P01", sql: text }));
  });
  app.use(errorHandler({ asAppError, log }));
  const server = app.listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    const { requestId } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { requestId: string };
    expect(lines.find((line) => line.includes("request failed"))).toMatch(
      new RegExp(`relation.*blocks.*does not exist.*${requestId}`),
    );
    expect(lines.join("")).not.toContain(text);
  } finally {
    server.close();
  }
});

describe("the scan for leaks", () => {
  test("finds every kind of secret and the texts registered by tests, JSON-encoded ones included", () => {
    const lines = [
      `{"hash":"$2b$12$${"a".repeat(53)}"}`,
      `Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${"a".repeat(43)}`,
      `{"refreshToken":"12.${"a".repeat(43)}.${"b".repeat(43)}"}`,
      'error: SELECT id FROM "users"',
      "    at Object.<anonymous> (/somewhere/server.js:12:3)",
      '{"stack":"Error: x\\n    at Object.<anonymous> (/somewhere/server.js:12:3)"}',
      `before ${text} after`,
      '{"text":"it said \\"hello, world\\""}',
    ];
    const found = findSecrets(lines, [text, 'said "hello, world"']);
    expect(found.map((finding) => finding.split(": ")[0])).toEqual([
      "a password hash",
      "an access token",
      "a refresh token",
      "SQL",
      "a stack trace",
      "a stack trace",
      "a registered secret",
      "a registered secret",
    ]);
  });

  test("finds secrets in frames to their owner, except in texts that users wrote", () => {
    const attack = "'; SELECT id FROM users; --";
    const frame = (message: string) => JSON.stringify({ success: true, params: { message } });
    const find = (line: string) => findSecrets([line], [text], [attack]);
    expect(find(frame(`before ${attack} after`))).toEqual([]);
    expect(find(frame(`${attack} SELECT id FROM "users"`))).toEqual([expect.stringMatching(/^SQL: /)]);
    expect(find(frame(`$2b$12$${"a".repeat(53)}`))).toEqual([expect.stringMatching(/^a password hash: /)]);
    expect(find(frame(text))).toEqual([expect.stringMatching(/^a registered secret: /)]);
  });

  test("finds nothing in permitted output", () => {
    const lines = [
      '{"level":20,"time":1,"req":{"method":"GET","path":"/users/me"},"res":{"status":200},"msg":"request completed"}',
      '{"level":40,"err":{"name":"Error","message":"x","place":"at Delivery.read (/dist/delivery/delivery.js:12:3)"}}',
      '{"error":true,"type":"leaveGroup","message":"User is not a member of this group","code":"NOT_MEMBER"}',
    ];
    expect(findSecrets(lines, [text])).toEqual([]);
  });
});
