import Joi from "joi";
import { AppError } from "../errors.ts";
import { isEmoji } from "./emoji.ts";
import { hasPrototypeKey } from "./prototype-key.ts";
import { hasNoDirectionControl, hasOnlySafeCharacters, hasVisibleCharacter } from "./visible-text.ts";

/*
 * A typed layer over Joi. Joi checks values and prints JSON Schema, but infers no types from its keys; here each builder
 * names the TypeScript type beside the rule, so that one declaration gives the check, the type and the documents.
 * This is one of the two marked places where `as` and `any` are allowed.
 */

declare const inferred: unique symbol;

/** A rule for values of type `T`. */
export interface Schema<T> {
  /** Checks values. */
  readonly joi: Joi.Schema;
  /** Prints the documents: the same rule, with a reference in place of each named schema inside it. */
  readonly document: Joi.Schema;
  readonly [inferred]?: T;
}

/** A rule for a key that may be left out. */
export interface Optional<T> extends Schema<T> {
  readonly optional: true;
}

/** The type of the values that a schema accepts. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** The keys of an object and their rules. */
export type Shape = Readonly<Record<string, Schema<unknown>>>;

type OptionalKeys<P extends Shape> = { [K in keyof P]: P[K] extends Optional<unknown> ? K : never }[keyof P];
type Flat<T> = { [K in keyof T]: T[K] };

/** The object type that a shape describes. */
export type InferShape<P extends Shape> = Flat<
  { [K in Exclude<keyof P, OptionalKeys<P>>]: Infer<P[K]> } & { [K in OptionalKeys<P>]?: Infer<P[K]> }
>;

const schema = <T>(joi: Joi.Schema, document = joi): Schema<T> => ({ joi, document });

/** A rule made of other schemas, once from their checks and once from their documents. */
const compose = <T>(make: (ruleOf: (inner: Schema<unknown>) => Joi.Schema) => Joi.Schema): Schema<T> =>
  schema(
    make(({ joi }) => joi),
    make(({ document }) => document),
  );

const namedSchemas = new Map<string, Schema<unknown>>();

/**
 * Gives a schema a name. The documents define it once under that name and refer to it everywhere else.
 * @param description a sentence for the documents
 * @throws Error if another schema has the name
 */
export function named<T>(name: string, definition: Schema<T>, description?: string): Schema<T> {
  if (namedSchemas.has(name)) throw new Error(`There are two schemas named ${name}`);
  namedSchemas.set(name, description === undefined ? definition : described(definition, description));
  return schema(definition.joi, Joi.link(`#${name}`));
}

/** The definition behind a name given with `named`. */
export const schemaNamed = (name: string): Schema<unknown> | undefined => namedSchemas.get(name);

// biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL cannot store U+0000
const storable = /^[^\u0000\ud800-\udfff]*$/u;

/**
 * Text between `min` and `max` UTF-16 units with a visible character, and without control characters except tab and line
 * feed. With `blank`, any text that can be stored: without U+0000, which PostgreSQL rejects, and lone surrogates.
 */
export function text(options: { min?: number; max: number; blank?: boolean }): Schema<string> {
  const { min = 1, max, blank = false } = options;
  const sized = Joi.string().min(min).max(max);
  // The documents have one pattern: code generators make an intersection of unknown types of two. What is visible is
  // described in words, because not every implementation of JSON Schema knows the classes of Unicode.
  if (blank) {
    const joi = sized.pattern(storable, { name: "not hold U+0000 or a lone surrogate" });
    return schema(min === 0 ? joi.allow("") : joi);
  }
  const joi = sized
    .pattern(hasOnlySafeCharacters, {
      name: "not hold a lone surrogate, or a control character other than tab and line feed",
    })
    .pattern(hasVisibleCharacter, { name: "not be blank: it needs a visible character" });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL cannot store U+0000
  return schema(joi, sized.pattern(/^(?=[\s\S]*\S)[^\u0000\ud800-\udfff]*$/u));
}

/** Text that may be blank, or left empty, where the key `sibling` of the same object is given. */
export function textBlankWith(sibling: string, options: { max: number }): Schema<string> {
  const blank = Joi.string().max(options.max).allow("").pattern(hasOnlySafeCharacters, {
    name: "not hold a lone surrogate, or a control character other than tab and line feed",
  });
  // biome-ignore lint/suspicious/noThenProperty: the name that Joi gives it
  const joi = Joi.when(sibling, { is: Joi.exist(), then: blank, otherwise: text(options).joi });
  return schema(joi, text({ min: 0, max: options.max, blank: true }).document);
}

/** One emoji of at most `max` UTF-16 units. The documents describe in words what an emoji is. */
export function emoji(options: { max: number }): Schema<string> {
  const document = Joi.string().min(1).max(options.max);
  const joi = document.custom((value: string, { error }) => (isEmoji(value) ? value : error("string.emoji")));
  return schema(joi, document);
}

/** A name: text without characters that control the direction of text. The documents describe that in words. */
export function nameText(options: { max: number }): Schema<string> {
  const { joi, document } = text(options);
  const rule = (joi as Joi.StringSchema).pattern(hasNoDirectionControl, {
    name: "not hold characters that control the direction of text",
  });
  return schema(rule, document);
}

/** The input limit of bcrypt. */
const maxPasswordBytes = 72;

/**
 * A password of at least `min` characters and at most 72 bytes in the form in which it is hashed: with composed accents,
 * which may be much shorter than the given form, and for some characters longer.
 */
export function password(options: { min: number }): Schema<string> {
  const { min } = options;
  const composed = (value: string) => value.normalize("NFC");
  const joi = (text({ min, max: 4 * maxPasswordBytes, blank: true }).joi as Joi.StringSchema)
    .custom((value: string, { error }) => {
      if (min > 1 && !hasVisibleCharacter.test(value)) return error("password.blank");
      if (Buffer.byteLength(composed(value)) > maxPasswordBytes) {
        return error(Buffer.byteLength(value) > maxPasswordBytes ? "password.long" : "password.composed");
      }
      return composed(value).length < min ? error("string.min", { limit: min }) : value;
    })
    .messages({
      "string.max": "{{#label}} must be at most 72 bytes long",
      "password.blank": "{{#label}} must not be blank: it needs a visible character",
      "password.long": "{{#label}} must be at most 72 bytes long",
      "password.composed":
        "{{#label}} must be at most 72 bytes long in the Unicode form NFC, which is longer than the given form",
    });
  return schema(joi, text({ min, max: maxPasswordBytes }).document);
}

/** Text that matches a pattern; `words` completes the sentence "<field> must ...". */
export function textLike(pattern: RegExp, words: string): Schema<string> {
  return schema(Joi.string().pattern(pattern, { name: words }));
}

/** An e-mail address: one `@`, at most 254 characters, any domain; not checked against a list of top-level domains. */
export function email(): Schema<string> {
  const words = "be an e-mail address: one @, and no spaces";
  const joi = (text({ max: 254 }).joi as Joi.StringSchema).pattern(/^[^\s@]+@[^\s@]+$/u, { name: words });
  // The documents have one pattern for both rules: of two, code generators make an intersection of unknown types.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL cannot store U+0000
  const pattern = /^[^\s@\u0000\ud800-\udfff]+@[^\s@\u0000\ud800-\udfff]+$/u;
  return schema(joi, Joi.string().min(1).max(254).pattern(pattern));
}

/** A whole number in decimal digits; Joi also converts `1e3`, `1.0` and ` 1`. */
const digits = /^-?(0|[1-9]\d*)$/;

/** A whole number between `min` and `max`, both included. */
export function integer(options: { min: number; max: number }): Schema<number> {
  const joi = Joi.number().integer().min(options.min).max(options.max);
  const checked = joi.custom((value: number, { original, error }) =>
    typeof original === "string" && !digits.test(original) ? error("number.digits") : value,
  );
  return schema(checked, joi);
}

export function flag(): Schema<boolean> {
  return schema(Joi.boolean());
}

/** One of the given values. */
export function oneOf<const T extends string>(...words: T[]): Schema<T> {
  return schema(Joi.string().valid(...words));
}

/** Exactly this value. */
export function exactly<const T extends boolean | string | null>(value: T): Schema<T> {
  return schema(Joi.valid(value).messages({ "any.only": `{{#label}} must be ${value}` }));
}

/** A time in ISO 8601, UTC. */
export function moment(): Schema<string> {
  return schema(Joi.string().isoDate());
}

export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return compose((ruleOf) => ruleOf(inner).allow(null));
}

export function list<T>(item: Schema<T>, options: { min?: number; max?: number } = {}): Schema<T[]> {
  const { min, max } = options;
  return compose((ruleOf) => {
    let joi = Joi.array().items(ruleOf(item));
    if (min !== undefined) joi = joi.min(min);
    return max === undefined ? joi : joi.max(max);
  });
}

/** A list of ids of any length. Checked in one pass: `list` is ten times slower. For messages on the bus. */
export function idList(): Schema<number[]> {
  const isId = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
  return schema(
    Joi.array().custom((values: unknown[], helpers) => (values.every(isId) ? values : helpers.error("any.invalid"))),
  );
}

/** A list with exactly these elements; the last `options.optional` of them may be left out. */
export function integers(places: readonly Schema<number>[], options: { optional: number }): Schema<number[]> {
  const required = places.length - options.optional;
  return schema(
    Joi.array().ordered(...places.map(({ joi }, index) => (index < required ? joi.required() : joi))),
    // Code generators do not understand lists whose elements differ.
    Joi.array().items(Joi.number().integer()).min(required).max(places.length),
  );
}

export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return compose((ruleOf) => Joi.alternatives(ruleOf(first), ruleOf(second)));
}

/** A key that may be left out; never `null`. */
export function optional<T>(inner: Schema<T>): Optional<T> {
  return { ...compose<T>((ruleOf) => ruleOf(inner).optional()), optional: true };
}

/** Adds a sentence for the documents. */
export function described<S extends Schema<unknown>>(inner: S, description: string): S {
  return { ...inner, ...compose((ruleOf) => ruleOf(inner).description(description)) };
}

/** An object with these keys, all required unless `optional`; unknown keys are ignored. */
export function object<P extends Shape>(shape: P): Schema<InferShape<P>> {
  return keys(shape, (rule) => rule.unknown(true));
}

/** An object with any keys. */
export function anyObject(): Schema<Record<string, unknown>> {
  return schema(Joi.object().pattern(Joi.string(), Joi.any()));
}

/** Nesting of JSON values beyond which they cannot be stored. */
const maxJsonDepth = 64;

/**
 * Any JSON value that can be stored: without U+0000 and lone surrogates, which PostgreSQL rejects.
 * @param shown the objects among the values that the documents name
 */
export function anyJson(shown?: Schema<unknown>): Schema<unknown> {
  const joi = Joi.any().custom((value: unknown, { error }) => {
    const fault = faultOfJson(value);
    return fault === undefined ? value : error(fault);
  });
  return schema(joi, shown ? Joi.alternatives(shown.document, Joi.any()) : Joi.any());
}

/** A loop instead of recursion: a small text can nest deeper than the stack allows. */
function faultOfJson(value: unknown): "json.text" | "json.depth" | undefined {
  const unseen: [unknown, number][] = [[value, 1]];
  for (let next = unseen.pop(); next; next = unseen.pop()) {
    const [current, depth] = next;
    if (typeof current === "string" && !storable.test(current)) return "json.text";
    if (typeof current !== "object" || current === null) continue;
    if (depth > maxJsonDepth) return "json.depth";
    for (const [key, inner] of Object.entries(current)) unseen.push([key, depth], [inner, depth + 1]);
  }
  return undefined;
}

/** A number. */
export function finiteNumber(): Schema<number> {
  return schema(Joi.number().unsafe());
}

/** A list of exactly two elements. */
export function pair<A, B>(first: Schema<A>, second: Schema<B>): Schema<[A, B]> {
  return schema(
    Joi.array().ordered(first.joi.required(), second.joi.required()).length(2),
    // Code generators do not understand lists whose elements differ.
    Joi.array().items(Joi.any()).min(2).max(2),
  );
}

/** A named object with further keys. */
export function extended<T extends object, P extends Shape>(
  /** Gives the type. */
  _base: Schema<T>,
  name: string,
  shape: P,
): Schema<Flat<T & InferShape<P>>> {
  const base = schemaNamed(name);
  if (!base) throw new Error(`There is no schema named ${name}`);
  const further = object(shape);
  const join = (rule: Joi.Schema, more: Joi.Schema) => (rule as Joi.ObjectSchema).concat(more as Joi.ObjectSchema);
  return schema(join(base.joi, further.joi), join(base.document, further.document));
}

/** An object with these keys and no others. */
export function closedObject<P extends Shape>(shape: P): Schema<InferShape<P>> {
  return keys(shape, (rule) => rule.unknown(false));
}

/** An object with at least one of these keys and no others. */
export function someOf<P extends Shape>(shape: P): Schema<InferShape<P>> {
  return keys(shape, (rule) => rule.unknown(false).min(1));
}

const keys = <P extends Shape>(shape: P, restrict: (rule: Joi.ObjectSchema) => Joi.Schema): Schema<InferShape<P>> =>
  compose((ruleOf) => {
    const rules = Object.entries(shape).map(([key, value]) => {
      const rule = ruleOf(value);
      return [key, "optional" in value ? rule : rule.required()];
    });
    return restrict(Joi.object(Object.fromEntries(rules)));
  });

/** Error texts where Joi's own do not fit; the name of a pattern completes the sentence. */
const messages = {
  "string.empty": "{{#label}} must not be empty",
  "string.pattern.name": "{{#label}} must {{#name}}",
  "string.emoji": "{{#label}} must be one emoji",
  "json.text": "{{#label}} must not hold U+0000 or a lone surrogate",
  "json.depth": "{{#label}} must not be nested so deeply",
  "number.digits": "{{#label}} must be a whole number in decimal digits",
};

const prepared = new WeakMap<Joi.Schema, Map<string, Joi.Schema>>();

/**
 * The rule for a required value under the label that errors name. Cached: compiling a rule takes far longer than
 * applying it, and so does passing preferences with each value or to the rules inside.
 */
function prepare(joi: Joi.Schema, { label, convert = false }: CheckOptions): Joi.Schema {
  const known = prepared.get(joi) ?? new Map<string, Joi.Schema>();
  prepared.set(joi, known);
  const key = `${label} ${convert}`;
  const rule = known.get(key) ?? joi.required().label(label).prefs({ convert, abortEarly: true, messages });
  known.set(key, rule);
  return rule;
}

interface CheckOptions {
  /** The name of the value itself in errors; its keys are named by their own names. */
  label: string;
  /** Converts text to numbers; only for query strings and paths. Frames and bodies are never coerced. */
  convert?: boolean;
}

/**
 * The value as the schema's type.
 * @throws AppError of kind "validation" that names the field and the rule
 */
export function check<T>(schemaOfValue: Schema<T>, value: unknown, options: CheckOptions): T {
  if (hasPrototypeKey(value)) throw new AppError("validation", '"__proto__" is not allowed');
  const { error, value: checked } = prepare(schemaOfValue.joi, options).validate(value);
  if (error) throw new AppError("validation", cut(error.message, 500), { field: cut(fieldOf(error, options), 200) });
  return checked as T;
}

/** Names of unknown keys can be long. */
const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** The full name of the first invalid field, such as `params.chats[0][1]`. */
function fieldOf({ details }: Joi.ValidationError, { label }: CheckOptions): string {
  const path = details[0]?.path ?? [];
  return path.reduce<string>((field, key) => (typeof key === "number" ? `${field}[${key}]` : `${field}.${key}`), label);
}

/** JSON Schema 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** The schema as self-contained JSON Schema. */
export const jsonSchema = ({ joi }: Schema<unknown>): JsonSchema => print(joi);

/** The schema as JSON Schema that refers to each named schema inside it as `#/$defs/NAME`. */
export const referringJsonSchema = ({ document }: Schema<unknown>): JsonSchema => print(document);

/** Joi 18 implements https://standardschema.dev/json-schema, which its types do not declare yet. */
interface StandardJsonSchema {
  "~standard": { jsonSchema: { input(options: { target: "draft-2020-12" }): JsonSchema } };
}

const print = (joi: Joi.Schema): JsonSchema =>
  (joi as unknown as StandardJsonSchema)["~standard"].jsonSchema.input({ target: "draft-2020-12" });
