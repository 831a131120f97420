import { STATUS_CODES } from "node:http";
import { type ErrorCode, errorCodeMeanings, errorCodes, httpStatuses } from "../contract/error-codes.ts";
import { errorResponse, problem, problemMediaType } from "../contract/problem.ts";
import type { Schema } from "../contract/schema.ts";
import type { AnyRoute } from "../http/route.ts";
import { clientModulePath } from "../http/routers/client-module.ts";
import { SchemaComponents } from "./schema-components.ts";

type Json = Record<string, unknown>;

const introduction = `Register and log in here, then open the WebSocket, which has its own page:
**[the WebSocket](/api/websocket)** ([AsyncAPI](/api/asyncapi.json)).

Errors are \`${problemMediaType}\` (RFC 9457) with a \`code\` for programs, a \`detail\` for people and a \`requestId\` to quote.
Answers with status 429 say in \`Retry-After\` how long to wait.

To try the routes that need a token, call \`/auth/login\` and enter its \`token\` under *Authorize*.`;

/** The statuses of errors that occur before a request reaches its route. */
const edgeErrors: readonly { status: number; code: ErrorCode }[] = [
  { status: 400, code: "BAD_JSON" },
  { status: 405, code: "METHOD_NOT_ALLOWED" },
  { status: 413, code: "TOO_LARGE" },
  // A body in an encoding or a character set that the server does not read.
  { status: 415, code: "VALIDATION" },
];

const headers = {
  "Retry-After": { description: "How long to wait, in seconds.", schema: { type: "integer", minimum: 0 } },
  "WWW-Authenticate": { description: "`Bearer`.", schema: { type: "string" } },
  Allow: { description: "The methods of this address.", schema: { type: "string" } },
} as const;

const headersOfStatus: Readonly<Record<number, readonly (keyof typeof headers)[]>> = {
  401: ["WWW-Authenticate"],
  405: ["Allow"],
  429: ["Retry-After"],
  503: ["Retry-After"],
};

/** The one route that does not answer with JSON. */
const clientModuleOperation = {
  operationId: "getClientJs",
  summary:
    "Get the client SDK as an ES module, for `import` in pages of any origin. Compressed; revalidated by its `ETag`.",
  tags: ["Server"],
  security: [],
  responses: {
    200: {
      description: STATUS_CODES[200],
      headers: {
        ETag: { description: "For `If-None-Match`; another one for each encoding.", schema: { type: "string" } },
      },
      content: { "text/javascript": { schema: { type: "string" }, example: "export{Messenger};" } },
    },
    304: { description: STATUS_CODES[304] },
  },
};

/** OpenAPI 3.1 of the HTTP side, generated from the routes. */
export function openApiDocument(routes: readonly AnyRoute[], version: string): Json {
  const schemas = new SchemaComponents();
  const responses: Record<string, Json> = {};
  const paths: Record<string, Json> = { [clientModulePath]: { get: clientModuleOperation } };
  for (const route of routes) {
    paths[route.url] = { ...paths[route.url], [route.method]: operation(route, schemas, responses) };
  }
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
      headers,
      responses,
      schemas: schemas.all(),
    },
  };
}

/** The beginning of the component names of a route: `PostAuthLogin`. */
export function operationName({ method, url }: AnyRoute): string {
  const words = `${method} ${url}`.split(/[^a-z]+/i);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function operation(route: AnyRoute, schemas: SchemaComponents, responses: Record<string, Json>): Json {
  const name = operationName(route);
  const { body, answer } = route;
  return {
    operationId: name.charAt(0).toLowerCase() + name.slice(1),
    summary: route.summary,
    tags: [route.tag],
    security: route.public ? [] : [{ token: [] }],
    ...parameters(route, schemas),
    ...(route.streams === "request" && {
      requestBody: { required: true, content: { "application/octet-stream": binary } },
    }),
    ...(route.takesPicture && {
      requestBody: { required: true, content: { "image/*": binary } },
    }),
    ...(body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemas.refer(`${name}Body`, body), example: route.example.body } },
      },
    }),
    responses: {
      [route.status]: answer
        ? {
            description: STATUS_CODES[route.status],
            content: {
              "application/json": { schema: schemas.refer(`${name}Answer`, answer), example: route.example.answer },
            },
          }
        : {
            description: STATUS_CODES[route.status],
            ...(route.givesPicture && { content: { "image/webp": binary } }),
            ...(route.streams === "response" && { content: { "*/*": binary } }),
          },
      ...(route.streams === "response" && streamedResponses),
      ...(route.accepts && { [route.accepts.status]: { description: STATUS_CODES[route.accepts.status] } }),
      ...errorResponses(route, schemas, responses),
    },
  };
}

/** The content of a file. */
const binary = { schema: { type: "string", format: "binary" }, example: "(bytes)" };

/** What a route that sends a file answers besides it. */
const streamedResponses = {
  206: { description: STATUS_CODES[206], content: { "*/*": binary } },
  304: { description: STATUS_CODES[304] },
  416: { description: STATUS_CODES[416] },
};

function parameters(route: AnyRoute, schemas: SchemaComponents): Json {
  const from = (schema: Schema<unknown> | undefined, place: "path" | "query") => {
    const { properties = {}, required = [] } = schema
      ? (schemas.describe(schema) as { properties?: Record<string, Json>; required?: string[] })
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

/** References to the error responses of a route by status. Each combination of codes is one component. */
function errorResponses(route: AnyRoute, schemas: SchemaComponents, responses: Record<string, Json>): Json {
  const codesByStatus = new Map<number, Set<ErrorCode>>();
  for (const { status, code } of errorsOf(route)) {
    codesByStatus.set(status, (codesByStatus.get(status) ?? new Set()).add(code));
  }
  const entries = [...codesByStatus].map(([status, codes]) => {
    const name = [status, ...codes].join("-");
    responses[name] ??= documentedError(status, [...codes], schemas);
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return Object.fromEntries(entries);
}

/** Every error that a route can answer: its own, and those of all routes. */
function errorsOf(route: AnyRoute): { status: number; code: ErrorCode }[] {
  const codes: ErrorCode[] = [
    errorCodes.validation,
    ...route.errors,
    ...(route.public ? [] : [errorCodes.unauthenticated]),
    ...(route.requiresAdmin ? [errorCodes.forbidden] : []),
    errorCodes.rateLimited,
    errorCodes.unavailable,
    errorCodes.internal,
  ];
  return [
    ...codes.map((code) => ({ status: httpStatuses[code], code })),
    ...(route.furtherErrors ?? []),
    ...edgeErrors,
  ];
}

const exampleRequestId = "7d1b7a2e-0d0c-4c55-9a3e-6f0f6f6c1e52";

function documentedError(status: number, codes: ErrorCode[], schemas: SchemaComponents): Json {
  const names = headersOfStatus[status] ?? [];
  const exampleOf = (code: ErrorCode) =>
    JSON.parse(errorResponse({ code, detail: errorCodeMeanings[code], status }, exampleRequestId).body);
  return {
    description: codes.map((code) => `\`${code}\`: ${errorCodeMeanings[code]}`).join("\n\n"),
    ...(names.length > 0 && {
      headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    }),
    content: {
      [problemMediaType]: {
        schema: schemas.describe(problem),
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}
