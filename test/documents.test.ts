import { describe, expect, test } from "@jest/globals";
import { Parser } from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { jsonSchema } from "../src/contract/schema.ts";
import { answerSchema, exampleFrames, pushSchema, requestSchema } from "../src/docs/asyncapi.ts";
import { routes } from "../src/http/registry.ts";
import type { AnyMessageType } from "../src/ws/message-type.ts";
import { messageTypes } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { type TestMessenger, useMessenger } from "./support/messenger.ts";

/* The documents are true: valid by their own validators, and every example in them does what it shows. */

const messenger = useMessenger();

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
const breaches = (schema: object, value: unknown) => {
  ajv.validate(schema, value);
  return ajv.errors ?? [];
};

const pushTypeOf = ({ type, push }: AnyMessageType) => push?.type ?? type;

/** What an object has and is, without its values: two examples of one thing look the same. */
function outline(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [outline(value[0])];
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, inner]) => [key, outline(inner)]),
  );
}

describe("OpenAPI", () => {
  test("the document is valid OpenAPI 3.1", async () => {
    const { body } = await messenger().http("GET", "/api/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    const { valid, errors } = await new Validator().validate(body);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  test("Swagger UI is served with everything it needs from this server", async () => {
    const { status, body } = await messenger().http("GET", "/api/");
    expect(status).toBe(200);
    const assets = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      expect((await messenger().http("GET", `/api/${asset.replace(/^\.?\//, "")}`)).status).toBe(200);
    }
  });

  /** Someone for one route to be tried on, with the password that the examples show. */
  async function account(email: string): Promise<{ token: string; refreshToken: string; sessionId: number }> {
    const person = { email, password: "messenger demo", firstName: "Patrick0" };
    const { body } = await messenger().http("POST", "/auth/register", { body: person });
    const { sid } = JSON.parse(Buffer.from(body.token.split(".")[1], "base64url").toString());
    return { token: body.token, refreshToken: body.refreshToken, sessionId: sid };
  }

  test.each(routes.map((route) => [`${route.method.toUpperCase()} ${route.url}`, route] as const))(
    "the example of %s is answered as documented",
    async (name, route) => {
      const email = name === "POST /auth/login" ? "patrick0@example.org" : `${name.replace(/\W+/g, "-")}@example.org`;
      const { token, refreshToken, sessionId } = await account(email);
      // What no document can know is put in: the tokens and the sessions of the one who asks.
      const path = name === "DELETE /auth/sessions/{id}" ? { id: sessionId } : route.example.path;
      const body = name === "POST /auth/refresh" ? { refreshToken } : route.example.body;
      const url = route.url.replace(/\{(\w+)\}/g, (_match, key) => String(path?.[key]));
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(route.example.query ?? {})) query.set(key, String(value));
      const answer = await messenger().http(route.method.toUpperCase(), `${url}?${query}`, {
        token,
        ...(body && { body }),
      });
      expect(answer).toMatchObject({ status: route.status });
      if (route.answer) expect(breaches(jsonSchema(route.answer), answer.body)).toEqual([]);
      else expect(answer.body).toBe("");
    },
  );
});

describe("AsyncAPI", () => {
  test("the document is valid AsyncAPI 3, its examples included", async () => {
    const { body } = await messenger().http("GET", "/api/asyncapi.json");
    expect(body.asyncapi).toBe("3.0.0");
    const diagnostics = await new Parser().validate(JSON.stringify(body));
    const problems = diagnostics.filter(({ severity, code }) => severity === 0 || /example|payload/.test(String(code)));
    expect(problems.map(({ code, message, path }) => ({ code, message, path }))).toEqual([]);
  });

  test("the page for people shows every type and loads nothing from elsewhere", async () => {
    const { status, body } = await messenger().http("GET", "/api/websocket");
    expect(status).toBe(200);
    for (const type of Object.keys(messageTypes)) expect(body).toContain(`<section id="${type}">`);
    expect(body).not.toMatch(/<script|(?:src|href)="(?:https?:)?\/\//);
  });

  /**
   * Who sends each example, in an order in which all of them can be done: person 1 is in nothing yet, group 1 belongs
   * to person 3, and person 2 is in it. Chat 2 will be the dialog of 1 and 2, and messages 3 and 4 the first in it. What an
   * example cannot know is put in.
   */
  const senders: [keyof typeof messageTypes, 1 | 2 | 3, object?][] = [
    ["privateMessage", 1],
    ["privateMessage", 1],
    ["listLastMessage", 1],
    ["getlatestMessageDialog", 2],
    ["getMessages", 1, { chatId: 2, before: 13, limit: 5 }],
    ["sync", 2, { chats: [[2, 0, 0, 0, 0]], range: [2, 2] }],
    ["editMessage", 1, { messageId: 3, content: "Hi!" }],
    ["deleteMessage", 1, { messageId: 4 }],
    ["watchPresence", 1],
    ["clearDialog", 1],
    ["newGroup", 1],
    ["addUserInGroup", 3],
    ["messageInGroup", 1],
    ["markRead", 2],
    ["typing", 2],
    ["getlatestMessageGroup", 1],
    ["setMemberRole", 3],
    ["transferOwnership", 3],
    ["listGroupMembers", 3],
    ["renameGroup", 2],
    ["removeUserFromGroup", 2],
    ["leaveGroup", 1],
    ["deleteGroup", 2],
    ["authenticate", 1],
  ];

  async function worldOfTheExamples(
    own: TestMessenger,
  ): Promise<{ devices: Record<1 | 2 | 3, Device>; token: string }> {
    const people = [await own.person("Patrick0"), await own.person("Patrick1"), await own.person("Patrick2")];
    const [first, second, third] = await Promise.all(people.map((person) => person.connect()));
    if (!first || !second || !third) throw new Error("three people, three devices");
    expect(people.map(({ id }) => id)).toEqual([1, 2, 3]);
    const { params } = await third.request("newGroup", { groupName: "new name" });
    expect(params.item.groupId).toBe(1);
    await third.request("addUserInGroup", { groupId: 1, userId: 2 });
    return { devices: { 1: first, 2: second, 3: third }, token: people[0]?.token ?? "" };
  }

  test("every example is a valid request, and is answered and pushed as documented", async () => {
    const { TestMessenger } = await import("./support/messenger.ts");
    const own = await TestMessenger.start();
    try {
      const { devices, token } = await worldOfTheExamples(own);
      expect(new Set(senders.map(([type]) => type))).toEqual(new Set(Object.keys(messageTypes)));
      for (const [type, sender, params] of senders) {
        const messageType = messageTypes[type];
        const frames = exampleFrames(messageType);
        expect(breaches(requestSchema(messageType), frames.request)).toEqual([]);
        const real = type === "authenticate" ? { token } : (params ?? frames.request.params);
        const answer = await devices[sender].sendRaw({ type, params: real });
        expect({ type, breaches: breaches(answerSchema(messageType), answer) }).toEqual({ type, breaches: [] });
        expect({ type, answer: outline(answer) }).toEqual({ type, answer: outline(frames.answer) });
      }
      const pushed = new Set<string>();
      for (const device of Object.values(devices)) {
        await device.settle();
        for (const push of device.pushes()) {
          const messageType = Object.values(messageTypes).find((one) => pushTypeOf(one) === push.type);
          if (!messageType) throw new Error(`${push.type} is in no document`);
          pushed.add(push.type);
          expect(breaches(pushSchema(messageType), push)).toEqual([]);
          expect(outline(push)).toEqual(outline(exampleFrames(messageType).push));
        }
      }
      expect([...pushed]).toEqual(expect.arrayContaining(["privateMessage", "editMessage", "deleteMessage", "typing"]));
    } finally {
      await own.closeDevices();
      await own.stop();
    }
  });
});
