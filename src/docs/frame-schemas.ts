import { requestId } from "../contract/fields.ts";
import { answerFrame, pushFrame } from "../contract/frames.ts";
import type { JsonSchema, Schema } from "../contract/schema.ts";
import type { AnyMessageType } from "../ws/message-type.ts";
import { referredName, type SchemaComponents } from "./schema-components.ts";

/** An object schema; the keys of `optional` may be left out. */
const object = (required: JsonSchema, optional: JsonSchema = {}): JsonSchema => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
});

const none = { type: "null" };
const textOrNone = { type: ["string", "null"] };

/** The beginning of the component names of a message type: `PrivateMessage`. */
export const pascalCase = (type: string): string => type.charAt(0).toUpperCase() + type.slice(1);

/** What clients send under a type. */
export function requestSchema({ type, params }: AnyMessageType, components: SchemaComponents): JsonSchema {
  const name = pascalCase(type);
  const frame = { type: { const: type }, params: components.refer(`${name}Params`, params) };
  return components.add(`${name}Request`, object(frame, { requestId: components.describe(requestId()) }));
}

/** The answer to a request of a type. */
export function answerSchema({ type, data, item }: AnyMessageType, components: SchemaComponents): JsonSchema {
  const name = pascalCase(type);
  const [answeredData, answeredItem] = [components.describe(data), components.describe(item)];
  // Frames that carry the same item, such as a message, share the schema of their params.
  const owner = (answeredData.type === "null" && referredName(answeredItem)) || name;
  const params = components.add(
    `${owner}AnswerParams`,
    object({
      data: answeredData,
      message: none,
      senderName: none,
      item: answeredItem,
      isBroadcast: { const: false },
    }),
  );
  return components.add(
    `${name}Answer`,
    object(
      { type: { const: type }, success: { const: true }, params },
      { requestId: components.describe(requestId()) },
    ),
  );
}

/** What other clients receive under a type. */
export function pushSchema({ type, push, item }: AnyMessageType, components: SchemaComponents): JsonSchema {
  return framePushSchema(push?.type ?? type, push?.item?.schema ?? item, components);
}

/** A push of this type with this item. */
export function framePushSchema(pushType: string, item: Schema<unknown>, components: SchemaComponents): JsonSchema {
  const pushedItem = components.describe(item);
  const params = components.add(
    `${referredName(pushedItem) ?? pascalCase(pushType)}PushParams`,
    object({
      data: none,
      message: textOrNone,
      senderName: textOrNone,
      item: pushedItem,
      isBroadcast: { const: true },
    }),
  );
  return components.add(
    `${pascalCase(pushType)}Push`,
    object({ type: { const: pushType }, success: { const: true }, params }),
  );
}

/** The frames that show a type in the documents. */
export const exampleFrames = ({ type, example, push }: AnyMessageType) => ({
  request: { type, params: example.params },
  answer: answerFrame(type, example),
  push: push && examplePush(push.type ?? type, push.item?.example ?? example.item),
});

/** A push shows the text and the sender of its message; signals have neither. */
export const examplePush = (type: string, item: { message?: string; senderName?: string }) =>
  pushFrame(type, { message: item.message ?? null, senderName: item.senderName ?? null, item });
