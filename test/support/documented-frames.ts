import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { asyncApiDocument } from "../../src/docs/asyncapi.ts";
import { registry } from "../../src/ws/registry.ts";

interface Messages {
  components: { messages: Record<string, { payload: { $ref: string } }> };
}

const document = asyncApiDocument(registry.values(), "0.0.0") as unknown as Messages;
const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema(document, "asyncapi");

/**
 * The rules of AsyncAPI's payload schema that a frame breaks.
 * @param message its name in the document, such as `markRead`, `markRead.answer` or `markRead.push`
 */
export function frameErrors(message: string, frame: unknown) {
  const { payload } = document.components.messages[message] ?? {};
  if (!payload) throw new Error(`AsyncAPI has no message ${message}`);
  ajv.validate(`asyncapi${payload.$ref}`, frame);
  return ajv.errors ?? [];
}

/** The keys and types of a value without its contents: two examples of the same thing have the same shape. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, inner]) => [key, shapeOf(inner)]),
  );
}
