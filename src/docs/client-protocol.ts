import { closeCodeTable } from "../contract/close-codes.ts";
import { errorFrameSchema, subprotocol } from "../contract/frames.ts";
import { problem } from "../contract/problem.ts";
import type { Schema } from "../contract/schema.ts";
import type { AnyRoute } from "../http/route.ts";
import { type AnyMessageType, errorsOf } from "../ws/message-type.ts";
import { serverPushes } from "../ws/server-pushes.ts";
import { pascalCase } from "./frame-schemas.ts";
import { operationName } from "./openapi.ts";
import { SchemaComponents } from "./schema-components.ts";
import { declaration, docComment, emptyObject, typeOf } from "./typescript.ts";

/** The protocol as TypeScript source for clients, not formatted. Generated from the message types and the routes. */
export function clientProtocol(messageTypes: readonly AnyMessageType[], routes: readonly AnyRoute[]): string {
  const schemas = new SchemaComponents();
  const parts = [
    header,
    requests(messageTypes, schemas),
    pushes(messageTypes, schemas),
    frames,
    httpRoutes(routes, schemas),
    closeCodes,
  ];
  for (const schema of [errorFrameSchema, problem]) schemas.describe(schema);
  const types = Object.entries(schemas.all()).map(([name, schema]) => declaration(name, schema));
  return [...parts, ...types].join("\n");
}

const header = `// The protocol of the server, written by \`npm run docs\` from the server's schemas. Do not edit.

/** The subprotocol to offer, beside \`bearer.<token>\`. */
export const subprotocol = ${JSON.stringify(subprotocol)};
`;

const entry = (key: string, type: string, comment: string) =>
  `${docComment(comment, "  ")}  ${/^\w+$/.test(key) ? key : JSON.stringify(key)}: ${type};\n`;

function requests(messageTypes: readonly AnyMessageType[], schemas: SchemaComponents): string {
  const entries = messageTypes.map((messageType) => {
    const { type, summary, params, data, item } = messageType;
    const errors = errorsOf(messageType);
    const types = {
      params: typeOf(schemas.refer(`${pascalCase(type)}Params`, params)),
      data: typeOf(schemas.describe(data)),
      item: typeOf(schemas.describe(item)),
    };
    const ownErrors = errors.length > 0 ? `\n\nErrors: ${errors.map((code) => `\`${code}\``).join(", ")}.` : "";
    return entry(type, `{ params: ${types.params}; data: ${types.data}; item: ${types.item} }`, summary + ownErrors);
  });
  return `/**
 * The requests of the WebSocket by type: what is sent, and \`data\` and \`item\` of the answer. Besides its own errors, every
 * type can be answered with \`VALIDATION\`, \`RATE_LIMITED\`, \`UNAVAILABLE\` and \`INTERNAL\`.
 */
export interface Requests {
${entries.join("")}}

export type RequestType = keyof Requests;
`;
}

function pushes(messageTypes: readonly AnyMessageType[], schemas: SchemaComponents): string {
  const pushed: { type: string; item: Schema<unknown>; comment: string }[] = [
    ...messageTypes.flatMap(({ type, push, item }) =>
      push ? [{ type: push.type ?? type, item: push.item?.schema ?? item, comment: `Sent to ${push.to}.` }] : [],
    ),
    ...serverPushes.map(({ type, summary, to, item }) => ({
      type,
      item: item.schema,
      comment: `${summary} Sent to ${to}.`,
    })),
  ];
  const entries = pushed.map(({ type, item, comment }) => entry(type, typeOf(schemas.describe(item)), comment));
  return `/** The pushes of the WebSocket: \`item\` by type. More types will be added. */
export interface Pushes {
${entries.join("")}}

export type PushType = keyof Pushes;
`;
}

const frames = `/** What a client sends. */
export interface RequestFrame<Type extends RequestType = RequestType> {
  type: Type;
  params: Requests[Type]["params"];
  requestId?: RequestId;
}

/** The answer to a request. A rejected request is answered with an \`ErrorFrame\`. */
export interface AnswerFrame<Type extends RequestType = RequestType> {
  type: Type;
  success: true;
  params: {
    data: Requests[Type]["data"];
    message: null;
    senderName: null;
    item: Requests[Type]["item"];
    isBroadcast: false;
  };
  requestId?: RequestId;
}

/** What the server sends without a request. */
export interface PushFrame<Type extends PushType = PushType> {
  type: Type;
  success: true;
  params: {
    data: null;
    message: string | null;
    senderName: string | null;
    item: Pushes[Type];
    isBroadcast: true;
  };
}
`;

function httpRoutes(routes: readonly AnyRoute[], schemas: SchemaComponents): string {
  const entries = routes.map((route) => {
    const { method, url, summary, path, query, body, answer } = route;
    const name = operationName(route);
    const types = Object.entries({ Path: path, Query: query, Body: body, Answer: answer }).flatMap(([part, schema]) =>
      schema ? [`${part.toLowerCase()}: ${typeOf(schemas.refer(name + part, schema))}`] : [],
    );
    return entry(`${method.toUpperCase()} ${url}`, types.length > 0 ? `{ ${types.join("; ")} }` : emptyObject, summary);
  });
  return `/** The routes of HTTP: what is sent and, unless the status is 204, the body of the answer. Errors are a \`Problem\`. */
export interface HttpRoutes {
${entries.join("")}}
`;
}

const closeCodes = `/** Whether a client may open another socket: at once, after a pause, after a new log-in, or not at all. */
export type Reconnect = "yes" | "later" | "afterLogIn" | "no";

/** A code with which the server closes a socket. */
export interface CloseCode {
  code: number;
  /** The texts that are sent with the code, for people. */
  reasons: readonly string[];
  reconnect: Reconnect;
}

/** The codes with which the server closes a socket. After any other code, reconnect. More codes will be added. */
export const closeCodes = {
${Object.entries(closeCodeTable)
  .map(
    ([name, { code, reasons, reconnect, description }]) =>
      `${docComment(description, "  ")}  ${name}: ${JSON.stringify({ code, reasons, reconnect })},\n`,
  )
  .join("")}} as const satisfies Record<string, CloseCode>;
`;
