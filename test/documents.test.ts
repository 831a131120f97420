import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { closeCodes } from "../src/contract/close-codes.ts";
import { jsonSchema } from "../src/contract/schema.ts";
import { fromCommandLine } from "../src/domain/administration.ts";
import { routes } from "../src/http/registry.ts";
import { issueOneTimeToken } from "../src/services/accounts/one-time-tokens.ts";
import type { AnyMessageType } from "../src/ws/message-type.ts";
import { messageTypes } from "../src/ws/registry.ts";
import { tokenOf } from "./support/admin.ts";
import { frameErrors } from "./support/documented-frames.ts";
import { serverInvite } from "./support/invites.ts";
import { useMessenger } from "./support/messenger.ts";
import { plainPicture } from "./support/pictures.ts";
import { openAndSend, readToEnd } from "./support/raw-http.ts";
import { createGroup, type Participant, participant } from "./support/scenes.ts";

/* The documents are true: valid by their own validators, and every example in them does what it shows. */

const messenger = useMessenger({ EMAIL_VERIFICATION: "required" });

const readJson = (path: string): object => JSON.parse(readFileSync(path, "utf8"));

/** The schemas that the makers of OpenAPI and AsyncAPI publish for documents. */
const openApiSchema = readJson(join(__dirname, "schemas/openapi-3.1.json"));
const asyncApiSchema = readJson(createRequire(__filename).resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json"));

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
const breaches = (schema: object, value: unknown) => {
  ajv.validate(schema, value);
  return ajv.errors ?? [];
};

/** Every object in a document, with its place as a JSON pointer. */
function* objectsIn(value: unknown, pointer = "#"): Generator<[pointer: string, object: Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [pointer, value as Record<string, unknown>];
  for (const [key, inner] of Object.entries(value)) {
    yield* objectsIn(inner, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}

/** References that lead nowhere. */
const danglingReferences = (document: object): unknown[] => {
  const objects = new Map(objectsIn(document));
  return [...objects.values()].map(({ $ref }) => $ref).filter(($ref) => $ref && !objects.has(String($ref)));
};

/** Schemas for which a code generator would have to invent a name. It makes nothing of bindings. */
const anonymousSchemas = (document: object): string[] =>
  [...objectsIn(document)]
    .filter(([, schema]) => (schema.type === "object" && "properties" in schema) || Array.isArray(schema.enum))
    .map(([pointer]) => pointer)
    .filter((pointer) => !/^#\/components\/schemas\/\w+$|\/bindings\//.test(pointer));

// biome-ignore lint/suspicious/noExplicitAny: a part of a document, of which each test asserts what it reads
type Json = Record<string, any>;

describe("OpenAPI", () => {
  test("the document is valid OpenAPI 3.1", async () => {
    const { body } = await messenger().http("GET", "/api/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(breaches(openApiSchema, body)).toEqual([]);
    expect(danglingReferences(body)).toEqual([]);
  });

  test("every object and every enum of the document has a name", async () => {
    const { body } = await messenger().http("GET", "/api/openapi.json");
    expect(anonymousSchemas(body)).toEqual([]);
  });

  test("every response with a body has examples that its schema allows", async () => {
    const { body } = await messenger().http("GET", "/api/openapi.json");
    const contents = [...objectsIn(body)].filter(([pointer]) => /\/responses\/[^/]+\/content\/[^/]+$/.test(pointer));
    expect(contents.length).toBeGreaterThan(routes.length);
    for (const [pointer, { schema, example, examples }] of contents) {
      const values = examples ? Object.values<Json>(examples as Json).map(({ value }) => value) : [example];
      for (const value of values) {
        const errors = breaches({ ...(schema as object), components: body.components }, value);
        expect({ pointer, value, errors }).toEqual({ pointer, value: expect.anything(), errors: [] });
      }
    }
  });

  test.each([
    ["a body that is not JSON", "POST", "/auth/login", "{", {}],
    ["a body that is too large", "POST", "/auth/login", JSON.stringify("x".repeat(70_000)), {}],
    ["an unknown character set", "POST", "/auth/login", "{}", { "Content-Type": "application/json; charset=x" }],
    ["a field that breaks its rule", "POST", "/auth/login", "{}", {}],
    ["a method that the address does not have", "DELETE", "/auth/login", undefined, {}],
    ["no token", "GET", "/users/me", undefined, {}],
  ])(
    "the error of %s is documented with its status, its code and its headers",
    async (_name, method, url, text, more) => {
      const { body: document } = await messenger().http("GET", "/api/openapi.json");
      const answer = await fetch(`http://127.0.0.1:${messenger().port}${url}`, {
        method,
        headers: { "Content-Type": "application/json", ...more },
        ...(text !== undefined && { body: text }),
      });
      const { code, status } = (await answer.json()) as { code: string; status: number };
      expect(status).toBe(answer.status);
      const [operation] = Object.values<Json>(document.paths[url]);
      const { $ref } = operation?.responses[status] ?? {};
      const response = document.components.responses[String($ref).split("/").at(-1) ?? ""];
      expect(response.description).toContain(`\`${code}\``);
      for (const header of Object.keys(response.headers ?? {})) expect(answer.headers.get(header)).not.toBeNull();
      expect(document.components.schemas.ErrorCode.enum).toContain(code);
    },
  );

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

  test.each([
    "/api/",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/api/websocket",
    "/api/swagger-ui-bundle.js",
    "/api/swagger-ui.css",
    "/api/swagger-ui-init.js",
  ])("%s is revalidated by its strong ETag", async (path) => {
    const first = await messenger().http("GET", path);
    const etag = first.headers.get("etag") ?? "";
    expect({ status: first.status, etag, cacheControl: first.headers.get("cache-control") }).toEqual({
      status: 200,
      etag: expect.stringMatching(/^"[\w-]+"$/),
      cacheControl: "no-cache",
    });
    // Not with fetch, which adds `Cache-Control: no-cache`.
    const { port } = messenger();
    const headers = [`Host: 127.0.0.1:${port}`, "Connection: close", `If-None-Match: ${etag}`];
    const second = await readToEnd(await openAndSend(port, [`GET ${path} HTTP/1.1`, ...headers, "", ""].join("\r\n")));
    expect(second).toMatch(/^HTTP\/1\.1 304 [\s\S]*\r\n\r\n$/);
    expect(second).toContain(`ETag: ${etag}\r\n`);
    const head = await fetch(`http://127.0.0.1:${messenger().port}${path}`, { method: "HEAD" });
    expect({ status: head.status, length: head.headers.get("content-length") }).toEqual({
      status: 200,
      length: first.headers.get("content-length"),
    });
  });

  test("/api leads to /api/, to which its links are relative", async () => {
    const response = await fetch(`http://127.0.0.1:${messenger().port}/api`, { redirect: "manual" });
    expect({ status: response.status, location: response.headers.get("location") }).toEqual({
      status: 301,
      location: "/api/",
    });
  });

  /** Creates an account for one route, with the password of the examples. */
  async function account(
    email: string,
  ): Promise<{ userId: number; token: string; refreshToken: string; sessionId: number }> {
    const person = { email, password: "messenger demo", firstName: "Patrick0" };
    const { body } = await messenger().http("POST", "/auth/register", { body: person });
    const { sid } = JSON.parse(Buffer.from(body.token.split(".")[1], "base64url").toString());
    return { userId: body.user.id, token: body.token, refreshToken: body.refreshToken, sessionId: sid };
  }

  /** The token of a link that confirms an address. The mail to the new account is sent before: its token replaces others. */
  async function emailToken(userId: number, email: string) {
    const unsent = "SELECT 1 FROM mail_outbox WHERE user_id = $userId AND finished_at IS NULL";
    while ((await messenger().sql(unsent, { userId })).length > 0) await wait(20);
    return messenger().db.transaction((transaction) =>
      issueOneTimeToken(messenger().db, { kind: "email", userId, email }, transaction),
    );
  }

  const passwordToken = async () => {
    const { id } = await messenger().person();
    return tokenOf((await messenger().administration.users.resetPassword(fromCommandLine, id)).url);
  };

  const setupToken = async () => {
    await messenger().sql("UPDATE users SET role = 'user'");
    return tokenOf((await messenger().administration.setupLink.make()).url);
  };

  /** A picture that is valid as text: a GIF of one white pixel. */
  const image = "GIF87a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

  /** Announces the picture, and uploads it if it is to be read. */
  async function announceImage(token: string, isUploaded: boolean): Promise<string> {
    const file = { name: "dot.gif", size: image.length };
    const { body } = await messenger().http("POST", "/files", { token, body: file });
    if (isUploaded) await messenger().http("PUT", body.uploadUrl, { token, body: image });
    return body.fileId;
  }

  let owner: Participant;
  /** The paths of the routes that manage an account or a group, which are made for each test. */
  async function managedObjects(): Promise<Record<string, object>> {
    owner = await participant(messenger());
    await messenger().sql("UPDATE users SET email_verified_at = now() WHERE id = $id", { id: owner.id });
    const groupId = await createGroup(owner.device);
    const managed = routes.filter(({ url }) => url.startsWith("/admin/") && url.includes("{id}"));
    return Object.fromEntries(
      managed.map(({ method, url }) => [
        `${method.toUpperCase()} ${url}`,
        { id: url.startsWith("/admin/groups") ? groupId : owner.id },
      ]),
    );
  }

  const picture = () => plainPicture(9, 9, "#c33");

  /** The paths of the routes of avatars: of a group of this user, and of the user's avatar. */
  async function ownersOfAvatars({ email, token }: { email: string; token: string }): Promise<Record<string, object>> {
    await messenger().sql("UPDATE users SET email_verified_at = now() WHERE email = $email", { email });
    const group = { id: await createGroup(await messenger().connect(token)) };
    const { body } = await messenger().http("PUT", "/users/me/avatar", { token, body: await picture() });
    return {
      "PUT /groups/{id}/avatar": group,
      "DELETE /groups/{id}/avatar": group,
      "GET /avatars/{id}": { id: body.avatarId },
    };
  }

  test.each(routes.map((route) => [`${route.method.toUpperCase()} ${route.url}`, route] as const))(
    "the example of %s is answered as documented",
    async (name, route) => {
      const email = name === "POST /auth/login" ? "patrick0@example.org" : `${name.replace(/\W+/g, "-")}@example.org`;
      const { userId, token, refreshToken, sessionId } = await account(email);
      const { id, token: inviteToken } = await serverInvite(messenger());
      if (route.tag === "Invites" || route.requiresAdmin)
        await messenger().sql("UPDATE users SET role = 'admin', email_verified_at = now() WHERE email = $email", {
          email,
        });
      // Unconfirmed users may not upload files.
      if (route.tag === "Files")
        await messenger().sql("UPDATE users SET email_verified_at = now() WHERE email = $email", { email });
      const announced = route.tag === "Files" ? await announceImage(token, route.streams === "response") : undefined;
      // What the examples name is replaced by what there is.
      const paths: Record<string, object> = {
        "DELETE /auth/sessions/{id}": { id: sessionId },
        "DELETE /invites/{invite}": { invite: id },
        "GET /invites/{invite}": { invite: inviteToken },
        "PUT /files/{id}/content": { id: announced },
        "GET /files/{id}": { id: announced },
        ...(await managedObjects()),
        ...(route.tag === "Avatars" && (await ownersOfAvatars({ email, token }))),
      };
      const path = paths[name] ?? route.example.path;
      const bodies: Record<string, () => Promise<object>> = {
        "POST /auth/refresh": async () => ({ refreshToken }),
        "POST /auth/email/verify": async () => ({ token: (await emailToken(userId, email)).token }),
        "POST /auth/setup": async () => ({ ...route.example.body, token: await setupToken() }),
        "POST /auth/password/reset": async () => ({ ...route.example.body, token: await passwordToken() }),
        "PUT /admin/groups/{id}/owner": async () => ({ userId: owner.id }),
      };
      const body = route.takesPicture ? await picture() : ((await bodies[name]?.()) ?? route.example.body);
      const url = route.url.replace(/\{(\w+)\}/g, (_match, key) => String(path?.[key]));
      const query = new URLSearchParams();
      for (const [key, value] of Object.entries(route.example.query ?? {})) query.set(key, String(value));
      const answer = await messenger().http(route.method.toUpperCase(), `${url}?${query}`, {
        token,
        ...(body && { body }),
        ...(route.streams === "request" && { body: image }),
      });
      expect(answer).toMatchObject({ status: route.status });
      if (route.streams === "response") expect(answer.headers.get("content-type")).toBe("image/webp");
      else if (route.answer) expect(breaches(jsonSchema(route.answer), answer.body)).toEqual([]);
      else if (!route.givesPicture) expect(answer.body).toBe("");
    },
  );
});

describe("AsyncAPI", () => {
  test("the document is valid AsyncAPI 3, its examples included", async () => {
    const { body } = await messenger().http("GET", "/api/asyncapi.json");
    expect(body.asyncapi).toBe("3.0.0");
    const validate = addFormats.default(new Ajv({ strict: false, allErrors: true })).compile(asyncApiSchema);
    validate(body);
    expect(validate.errors ?? []).toEqual([]);
    expect(danglingReferences(body)).toEqual([]);

    for (const [name, message] of Object.entries<Json>(body.components.messages)) {
      expect(message.examples.length).toBeGreaterThan(0);
      for (const { payload } of message.examples) {
        expect({ name, errors: frameErrors(name, payload) }).toEqual({ name, errors: [] });
      }
    }
  });

  test("every object and every enum of the document has a name, and no two schemas of frames are the same", async () => {
    const { body } = await messenger().http("GET", "/api/asyncapi.json");
    expect(anonymousSchemas(body)).toEqual([]);
    const params = Object.entries(body.components.schemas).filter(([name]) => /(Answer|Push)Params$/.test(name));
    const texts = params.map(([, schema]) => JSON.stringify(schema));
    expect(params.map(([name]) => name).filter((_name, index) => texts.indexOf(texts[index] ?? "") < index)).toEqual(
      [],
    );
  });

  test("the document lists every close code, the subprotocol, and the errors of every type", async () => {
    const { body } = await messenger().http("GET", "/api/asyncapi.json");
    const channel = body.channels.messenger;
    expect(channel["x-subprotocol"]).toBe("messenger.v1");
    const listed = channel["x-close-codes"].map(({ code }: { code: number }) => code);
    expect(listed).toEqual(expect.arrayContaining(Object.values(closeCodes)));
    for (const messageType of Object.values<AnyMessageType>(messageTypes)) {
      expect(body.operations[messageType.type]["x-errors"]).toEqual(expect.arrayContaining([...messageType.errors]));
    }
  });

  test("the page for people shows every type and loads nothing from elsewhere", async () => {
    const { status, body } = await messenger().http("GET", "/api/websocket");
    expect(status).toBe(200);
    for (const type of Object.keys(messageTypes)) expect(body).toContain(`<details class="type" id="${type}">`);
    expect(body).not.toMatch(/<table>\s*<tr>(?:\s*<th>[^<]*<\/th>)*<\/tr>\s*<\/table>/);
    expect(body).not.toMatch(
      /<script(?! type="module" src="\/api\/console.js"><\/script>)|<style|\sstyle=|(?:src|href)="(?:https?:)?\/\//,
    );
  });
});
