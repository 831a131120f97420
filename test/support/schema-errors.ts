import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));

/** The rules of a JSON Schema that the value breaks. */
export function schemaErrors(schema: object, value: unknown) {
  ajv.validate(schema, value);
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
