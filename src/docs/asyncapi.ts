import { errorCodes } from "../contract/error-codes.ts";
import { requestId } from "../contract/fields.ts";
import { answerFrame, errorFrame, pushFrame, unknownRequestType } from "../contract/frames.ts";
import { jsonSchema } from "../contract/schema.ts";
import type { AnyMessageType } from "../ws/message-type.ts";

type Json = Record<string, unknown>;

const channel = { $ref: "#/channels/messenger" };
const inChannel = (name: string) => ({ $ref: `#/channels/messenger/messages/${name}` });

const object = (properties: Json, required: string[]): Json => ({ type: "object", properties, required });
const requestIdSchema = jsonSchema(requestId());

/** What clients send under a type. */
export const requestSchema = ({ type, params }: AnyMessageType): Json =>
  object({ type: { const: type }, params: jsonSchema(params), requestId: requestIdSchema }, ["type", "params"]);

/** What answers a request of a type. */
export const answerSchema = ({ type, data, item }: AnyMessageType): Json =>
  object(
    {
      type: { const: type },
      success: { const: true },
      params: object(
        {
          data: jsonSchema(data),
          message: { type: "null" },
          senderName: { type: "null" },
          item: jsonSchema(item),
          isBroadcast: { const: false },
        },
        ["data", "message", "senderName", "item", "isBroadcast"],
      ),
      requestId: requestIdSchema,
    },
    ["type", "success", "params"],
  );

/** What others hear under a type. */
export const pushSchema = ({ type, push, item }: AnyMessageType): Json =>
  object(
    {
      type: { const: push?.type ?? type },
      success: { const: true },
      params: object(
        {
          data: { type: "null" },
          message: { type: ["string", "null"] },
          senderName: { type: ["string", "null"] },
          item: jsonSchema(push?.item?.schema ?? item),
          isBroadcast: { const: true },
        },
        ["data", "message", "senderName", "item", "isBroadcast"],
      ),
    },
    ["type", "success", "params"],
  );

/** What answers a request that could not be done. */
export const errorSchema: Json = object(
  {
    error: { const: true },
    type: { type: "string", description: `The type of the request; "${unknownRequestType}" where it named none.` },
    message: { type: "string", description: "What is wrong, for people." },
    code: { type: "string", enum: ["BAD_JSON", "UNKNOWN_TYPE", ...Object.values(errorCodes)] },
    requestId: requestIdSchema,
    retryable: { const: true },
    retryAfterMs: { type: "integer", minimum: 0 },
  },
  ["error", "type", "message", "code"],
);

/** The frames that show a type in the documents. */
export const exampleFrames = ({ type, example, push }: AnyMessageType) => ({
  request: { type, params: example.params },
  answer: answerFrame(type, example),
  push: push && examplePush(push.type ?? type, push.item?.example ?? example.item),
});

/** A push shows the text and the sender of its message; signals have neither. */
const examplePush = (type: string, item: { message?: string; senderName?: string }) =>
  pushFrame(type, { message: item.message ?? null, senderName: item.senderName ?? null, item });

/** AsyncAPI 3 of the WebSocket side, from the message types themselves. */
export function asyncApiDocument(messageTypes: Iterable<AnyMessageType>, version: string): Json {
  const messages: Json = {
    refusal: {
      summary: "A request that could not be done.",
      payload: errorSchema,
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
    const frames = exampleFrames(messageType);
    messages[type] = { summary, payload: requestSchema(messageType), examples: [{ payload: frames.request }] };
    messages[`${type}.answer`] = { payload: answerSchema(messageType), examples: [{ payload: frames.answer }] };
    operations[type] = {
      action: "receive",
      channel,
      summary,
      messages: [inChannel(type)],
      reply: { channel, messages: [inChannel(`${type}.answer`), inChannel("refusal")] },
    };
    if (!push) continue;
    messages[`${type}.push`] = {
      summary: `Goes to ${push.to}.`,
      payload: pushSchema(messageType),
      examples: [{ payload: frames.push }],
    };
    operations[`${type}.push`] = { action: "send", channel, messages: [inChannel(`${type}.push`)] };
  }
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Messenger, the WebSocket side",
      version,
      description: "One socket, one JSON object a frame. Every request gets exactly one answer or one refusal.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      here: {
        host: "localhost:3000",
        protocol: "ws",
        security: [{ type: "http", scheme: "bearer", bearerFormat: "JWT" }],
      },
    },
    channels: { messenger: { address: "/", messages } },
    operations,
  };
}
