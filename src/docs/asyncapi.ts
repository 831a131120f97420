import { closeCodeTable } from "../contract/close-codes.ts";
import { type ErrorCode, errorCodeMeanings, errorCodes } from "../contract/error-codes.ts";
import { errorFrame, errorFrameSchema, subprotocol } from "../contract/frames.ts";
import type { JsonSchema } from "../contract/schema.ts";
import { type AnyMessageType, errorsOf } from "../ws/message-type.ts";
import { serverPushes } from "../ws/server-pushes.ts";
import {
  answerSchema,
  exampleFrames,
  examplePush,
  framePushSchema,
  pushSchema,
  requestSchema,
} from "./frame-schemas.ts";
import { SchemaComponents } from "./schema-components.ts";

type Json = Record<string, unknown>;

/** Errors that every type can answer, in addition to its own. */
export const commonErrors: readonly ErrorCode[] = [
  errorCodes.validation,
  errorCodes.rateLimited,
  errorCodes.unavailable,
  errorCodes.internal,
];

/** The statuses of rejected upgrade requests. Their bodies are problem details, as on HTTP. */
export const upgradeErrors: readonly { status: number; code: ErrorCode }[] = [
  { status: 401, code: "UNAUTHENTICATED" },
  { status: 403, code: "FOREIGN_ORIGIN" },
  { status: 404, code: "NOT_FOUND" },
  { status: 429, code: "RATE_LIMITED" },
  { status: 500, code: "INTERNAL" },
  { status: 503, code: "UNAVAILABLE" },
];

const upgradeHeaders: JsonSchema = {
  type: "object",
  description: "One of the two carries the token.",
  properties: {
    Authorization: { type: "string", description: "`Bearer <token>`." },
    "Sec-WebSocket-Protocol": {
      type: "string",
      description: `\`${subprotocol}, bearer.<token>\`, for browsers, which cannot set other headers. The server selects \`${subprotocol}\`.`,
    },
  },
};

const channel = { $ref: "#/channels/messenger" };
const channelMessage = (name: string) => ({ $ref: `#/channels/messenger/messages/${name}` });

/** The component that describes a request that was rejected. */
const errorMessage = "error";

/** AsyncAPI 3 of the WebSocket, generated from the message types. */
export function asyncApiDocument(messageTypes: Iterable<AnyMessageType>, version: string): Json {
  const schemas = new SchemaComponents();
  const messages: Record<string, Json> = {
    [errorMessage]: {
      name: errorMessage,
      summary: "The answer to a request that was rejected.",
      payload: schemas.describe(errorFrameSchema),
      examples: [
        {
          payload: errorFrame("addUserInGroup", { code: "NOT_MEMBER", message: "User is not a member of this group" }),
        },
      ],
    },
  };
  const operations: Json = {};
  for (const messageType of messageTypes) {
    const { type, summary, push } = messageType;
    const [answer, pushed] = [`${type}.answer`, `${type}.push`];
    const frames = exampleFrames(messageType);
    messages[type] = {
      name: type,
      summary,
      payload: requestSchema(messageType, schemas),
      examples: [{ payload: frames.request }],
    };
    messages[answer] = {
      name: answer,
      payload: answerSchema(messageType, schemas),
      examples: [{ payload: frames.answer }],
    };
    operations[type] = {
      action: "receive",
      channel,
      summary,
      messages: [channelMessage(type)],
      reply: { channel, messages: [channelMessage(answer), channelMessage(errorMessage)] },
      "x-errors": [...new Set([...errorsOf(messageType), ...commonErrors])],
    };
    if (!push) continue;
    messages[pushed] = {
      name: pushed,
      summary: `Sent to ${push.to}.`,
      payload: pushSchema(messageType, schemas),
      examples: [{ payload: frames.push }],
    };
    operations[pushed] = { action: "send", channel, messages: [channelMessage(pushed)] };
  }
  for (const { type, summary, to, item } of serverPushes) {
    messages[`${type}.push`] = {
      name: `${type}.push`,
      summary: `${summary} Sent to ${to}.`,
      payload: framePushSchema(type, item.schema, schemas),
      examples: [{ payload: examplePush(type, item.example) }],
    };
    operations[`${type}.push`] = { action: "send", channel, messages: [channelMessage(`${type}.push`)] };
  }
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Messenger: the WebSocket",
      version,
      description: `One socket; each frame is one JSON object. Every request gets exactly one answer or one error. Offer the subprotocol \`${subprotocol}\`.`,
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      local: { host: "localhost:3000", protocol: "ws", security: [{ $ref: "#/components/securitySchemes/token" }] },
    },
    channels: {
      messenger: {
        address: "/",
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: { ws: { method: "GET", headers: upgradeHeaders } },
        "x-subprotocol": subprotocol,
        "x-upgrade-errors": upgradeErrors.map((error) => ({ ...error, description: errorCodeMeanings[error.code] })),
        "x-close-codes": Object.values(closeCodeTable),
      },
    },
    operations,
    components: {
      messages,
      schemas: schemas.all(),
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}
