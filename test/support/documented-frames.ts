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
