import type { JsonSchema } from "../contract/schema.ts";
import { referredName } from "./schema-components.ts";

/* Prints JSON Schema as TypeScript. Line breaks are left to the formatter, except in comments. */

/** The part of JSON Schema that the schemas of the contract use. */
interface Rule {
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  patternProperties?: object;
}

const lineWidth = 120;

/** A doc comment in front of a declaration; nothing without a text. */
export function docComment(text: string | undefined, indent = ""): string {
  if (!text) return "";
  const safe = text.replaceAll("*/", "*\\/");
  const single = `${indent}/** ${safe} */\n`;
  if (single.length <= lineWidth + 1 && !safe.includes("\n")) return single;
  const lines = safe.split("\n").flatMap((line) => wrap(line, lineWidth - indent.length - " * ".length));
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length < width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The declaration of a named schema. */
export function declaration(name: string, schema: JsonSchema): string {
  const { description, properties } = schema as Rule;
  const comment = docComment(description);
  if (!properties || Object.keys(properties).length === 0)
    return `${comment}export type ${name} = ${typeOf(schema)};\n`;
  return `${comment}export interface ${name} {\n${members(schema)}}\n`;
}

function members({ properties = {}, required = [] }: Rule): string {
  return Object.entries(properties)
    .map(([key, property]) => {
      const { description } = property as Rule;
      return `${docComment(description, "  ")}  ${key}${required.includes(key) ? "" : "?"}: ${typeOf(property)};\n`;
    })
    .join("");
}

/**
 * The type of the values that a schema allows.
 * @throws Error for an object with properties: it needs a name
 */
export function typeOf(schema: JsonSchema): string {
  const rule = schema as Rule;
  const { type, anyOf, items } = rule;
  const name = referredName(schema);
  if (name) return name;
  const values = "const" in rule ? [rule.const] : rule.enum;
  if (values) return union([...values.map((value) => JSON.stringify(value)), ...(isOpen(rule) ? [unknownText] : [])]);
  if (anyOf) return union(anyOf.map(typeOf));
  if (Array.isArray(type)) return union(type.map((one) => typeOf({ ...schema, type: one })));
  if (type === "array") return tupleOf(rule) ?? `readonly (${items ? typeOf(items) : "unknown"})[]`;
  if (type === "integer") return "number";
  if (type !== "object") return type ?? "unknown";
  const keys = Object.keys(rule.properties ?? {});
  if (keys.length > 0) throw new Error(`An object without a name, with the keys ${keys.join(", ")}`);
  return rule.patternProperties ? anyObject : emptyObject;
}

/** An object without keys, and one with any. */
export const emptyObject = "Record<never, never>";
const anyObject = "Record<string, unknown>";

/** With `null` at the end. */
const union = (types: readonly string[]): string =>
  [...types.filter((type) => type !== "null"), ...types.filter((type) => type === "null")].join(" | ");

/** A list of few elements is a tuple, whose last elements may be left out. */
function tupleOf({ items, minItems, maxItems = Number.POSITIVE_INFINITY }: Rule): string | undefined {
  if (!items || minItems === undefined || maxItems > 9) return undefined;
  const element = typeOf(items);
  return `readonly [${Array.from({ length: maxItems }, (_, index) => `${element}${index < minItems ? "" : "?"}`).join(", ")}]`;
}

/** Keeps values of later versions assignable, and the known ones in the completion of editors. */
const unknownText = "(string & {})";

const isOpen = ({ description = "" }: Rule): boolean => /\bMore \w+ will be added\b/.test(description);
