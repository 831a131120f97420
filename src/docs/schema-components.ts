import { isDeepStrictEqual } from "node:util";
import { type JsonSchema, referringJsonSchema, type Schema, schemaNamed } from "../contract/schema.ts";

const defsPrefix = "#/$defs/";

/** The `components.schemas` of one document: each schema once, under its name. */
export class SchemaComponents {
  private readonly schemas = new Map<string, JsonSchema>();

  /** The schema with references to the named schemas inside it, which become components. */
  describe(schema: Schema<unknown>): JsonSchema {
    return this.adoptReferences(referringJsonSchema(schema));
  }

  /**
   * Makes a schema a component, unless it is one under a name of its own.
   * @returns a reference to it
   */
  refer(name: string, schema: Schema<unknown>): JsonSchema {
    const described = this.describe(schema);
    return "$ref" in described ? described : this.add(name, described);
  }

  /**
   * Makes a schema a component, or finds the equal one of that name.
   * @returns a reference to it
   * @throws Error if a different schema has the name
   */
  add(name: string, schema: JsonSchema): JsonSchema {
    const known = this.schemas.get(name);
    if (known && !isDeepStrictEqual(known, schema)) throw new Error(`There are two components named ${name}`);
    this.schemas.set(name, schema);
    return reference(name);
  }

  /** All components by name, in alphabetical order. */
  all(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private adoptReferences<T>(value: T): T {
    if (Array.isArray(value)) return value.map((inner) => this.adoptReferences(inner)) as T;
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(withConst(value as JsonSchema)).map(([key, inner]) => [
      key,
      key === "$ref" ? this.adopt(String(inner)) : this.adoptReferences(inner),
    ]);
    return Object.fromEntries(entries);
  }

  private adopt(defsReference: string): string {
    const name = defsReference.slice(defsPrefix.length);
    const schema = schemaNamed(name);
    if (!schema) throw new Error(`There is no schema named ${name}`);
    if (!this.schemas.has(name)) {
      this.schemas.set(name, {}); // Ends the recursion of a schema that contains itself.
      this.schemas.set(name, this.describe(schema));
    }
    return reference(name).$ref;
  }
}

/** Joi prints a constant as an enum of one, for which code generators make a type of its own. */
function withConst(schema: JsonSchema): JsonSchema {
  const { type, enum: values, ...rest } = schema;
  return Array.isArray(values) && values.length === 1 && typeof type === "string"
    ? { ...rest, const: values[0] }
    : schema;
}

const componentsPrefix = "#/components/schemas/";
const reference = (name: string) => ({ $ref: `${componentsPrefix}${name}` });

/** The name of the component that a schema refers to; undefined if it is no reference. */
export const referredName = ({ $ref }: JsonSchema): string | undefined =>
  typeof $ref === "string" ? $ref.slice(componentsPrefix.length) : undefined;
