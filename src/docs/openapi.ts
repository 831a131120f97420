import { type ErrorCode, errorCodes, httpStatuses } from "../contract/error-codes.ts";
import { person, profile, session } from "../contract/people.ts";
import { problem, problemMediaType } from "../contract/problem.ts";
import { jsonSchema, type Schema } from "../contract/schema.ts";
import type { AnyRoute } from "../http/route.ts";

type Json = Record<string, unknown>;

/** Schemas that stand once in the document and are referred to by name. */
const named = new Map<Schema<unknown>, string>([
  [session, "Session"],
  [profile, "Profile"],
  [person, "Person"],
  [problem, "Problem"],
]);

const refer = (schema: Schema<unknown>): Json => {
  const name = named.get(schema);
  return name ? { $ref: `#/components/schemas/${name}` } : jsonSchema(schema);
};

const introduction = `Register and log in here; talk over the WebSocket, which has a page of its own:
**[the WebSocket](/api/websocket)** ([AsyncAPI](/api/asyncapi.json)).

Errors are \`${problemMediaType}\` (RFC 9457) with a \`code\` for programs, a \`detail\` for people and a \`requestId\` to quote.
To try the routes that need a log-in: call \`/auth/login\`, and give its \`token\` to the button *Authorize*.`;

/** OpenAPI 3.1 of the HTTP side, from the routes themselves. */
export function openApiDocument(routes: readonly AnyRoute[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) paths[route.url] = { ...paths[route.url], [route.method]: operation(route) };
  return {
    openapi: "3.1.0",
    info: { title: "Messenger", version, description: introduction, license: { name: "MIT", identifier: "MIT" } },
    externalDocs: {
      description: "The WebSocket: every type with its params, answer, push and errors",
      url: "/api/websocket",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: Object.fromEntries([...named].map(([schema, name]) => [name, jsonSchema(schema)])),
    },
  };
}

function operation(route: AnyRoute): Json {
  return {
    operationId: `${route.method} ${route.url}`.replace(/[^a-z]+(\w)?/gi, (_match, next = "") => next.toUpperCase()),
    summary: route.summary,
    tags: [route.tag],
    security: route.public ? [] : [{ token: [] }],
    ...parameters(route),
    ...(route.body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: refer(route.body), example: route.example.body } },
      },
    }),
    responses: {
      [route.status]: route.answer
        ? { description: "Done", content: { "application/json": { schema: refer(route.answer) } } }
        : { description: "Done" },
      ...refusals(route),
    },
  };
}

function parameters(route: AnyRoute): Json {
  const from = (schema: Schema<unknown> | undefined, place: "path" | "query") => {
    const { properties = {}, required = [] } = schema
      ? (jsonSchema(schema) as { properties?: Record<string, Json>; required?: string[] })
      : {};
    const examples: Record<string, unknown> = route.example[place] ?? {};
    return Object.entries(properties).map(([name, { description, ...rule }]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: rule,
      ...(name in examples && { example: examples[name] }),
    }));
  };
  const all = [...from(route.path, "path"), ...from(route.query, "query")];
  return all.length > 0 ? { parameters: all } : {};
}

/** The error answers of a route, those that every route can have included, grouped by status. */
function refusals(route: AnyRoute): Json {
  const codes: ErrorCode[] = [
    ...route.errors,
    ...(route.public ? [] : [errorCodes.unauthenticated]),
    errorCodes.rateLimited,
    errorCodes.unavailable,
    errorCodes.internal,
  ];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const status = httpStatuses[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, itsCodes]) => [
      status,
      { description: itsCodes.join(", "), content: { [problemMediaType]: { schema: refer(problem) } } },
    ]),
  );
}
