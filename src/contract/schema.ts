import Joi from "joi";
import { AppError } from "../errors.ts";

/*
 * A small typed layer over Joi. Joi checks values and prints JSON Schema, but infers no types from its keys; here
 * each builder names the TypeScript type beside the rule, so that one text gives the check, the type and the document.
 * This is one of the two marked places where `as` and `any` are allowed.
 */

declare const inferred: unique symbol;

/** A rule for values of type `T`. */
export interface Schema<T> {
  readonly joi: Joi.Schema;
  readonly [inferred]?: T;
}

/** A rule for a key that may be missing. */
export interface Optional<T> extends Schema<T> {
  readonly optional: true;
}

/** The type of the values that a schema lets through. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** The keys of an object and their rules. */
export type Shape = Readonly<Record<string, Schema<unknown>>>;

type OptionalKeys<P extends Shape> = { [K in keyof P]: P[K] extends Optional<unknown> ? K : never }[keyof P];
type Flat<T> = { [K in keyof T]: T[K] };

/** The object type that a shape describes. */
export type InferShape<P extends Shape> = Flat<
  { [K in Exclude<keyof P, OptionalKeys<P>>]: Infer<P[K]> } & { [K in OptionalKeys<P>]?: Infer<P[K]> }
>;

const schema = <T>(joi: Joi.Schema): Schema<T> => ({ joi });

/** Text between `min` and `max` UTF-16 units, without U+0000 (PostgreSQL cannot store it) and lone surrogates. */
export function text(options: { min?: number; max: number; blank?: boolean }): Schema<string> {
  const { min = 1, max, blank = false } = options;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the one that PostgreSQL cannot store
  const rule = blank ? /^[^\u0000\ud800-\udfff]*$/u : /^(?=[\s\S]*\S)[^\u0000\ud800-\udfff]*$/u;
  const words = blank ? "not hold U+0000 or a lone surrogate" : "not be blank, or hold U+0000 or a lone surrogate";
  const joi = Joi.string().min(min).max(max).pattern(rule, { name: words });
  return schema(min === 0 ? joi.allow("") : joi);
}

/** A password of at least `min` characters and at most the 72 bytes that bcrypt looks at. */
export function password(options: { min: number }): Schema<string> {
  const joi = (text({ min: options.min, max: 72 }).joi as Joi.StringSchema).max(72, "utf8");
  return schema(joi.messages({ "string.max": "{{#label}} must be at most 72 bytes long" }));
}

/** Text of a given form; `words` completes the sentence "<field> must ...". */
export function textLike(pattern: RegExp, words: string): Schema<string> {
  return schema(Joi.string().pattern(pattern, { name: words }));
}

/** An e-mail address: one `@`, at most 254 characters, any domain; no list of top-level domains is kept. */
export function email(): Schema<string> {
  return schema(
    (text({ max: 254 }).joi as Joi.StringSchema).pattern(/^[^\s@]+@[^\s@]+$/u, {
      name: "be an e-mail address: one @, and no spaces",
    }),
  );
}

/** A whole number between `min` and `max`, both included. */
export function integer(options: { min: number; max: number }): Schema<number> {
  return schema(Joi.number().integer().min(options.min).max(options.max));
}

export function flag(): Schema<boolean> {
  return schema(Joi.boolean());
}

/** One of the given words. */
export function oneOf<const T extends string>(...words: T[]): Schema<T> {
  return schema(Joi.string().valid(...words));
}

/** Exactly this value. */
export function exactly<const T extends boolean | null>(value: T): Schema<T> {
  return schema(Joi.valid(value));
}

/** A moment in ISO 8601, UTC. */
export function moment(): Schema<string> {
  return schema(Joi.string().isoDate());
}

export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return schema(inner.joi.allow(null));
}

export function list<T>(item: Schema<T>, options: { max?: number } = {}): Schema<T[]> {
  const joi = Joi.array().items(item.joi);
  return schema(options.max === undefined ? joi : joi.max(options.max));
}

/** A list of ids of any length. Checked in one pass: `list` is ten times slower. For messages on the bus. */
export function idList(): Schema<number[]> {
  const isId = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
  return schema(
    Joi.array().custom((values: unknown[], helpers) => (values.every(isId) ? values : helpers.error("any.invalid"))),
  );
}

/** A list of exactly these places, of which the last `optionalCount` may be missing. */
export function integers(places: readonly Schema<number>[], options: { optional: number }): Schema<number[]> {
  const required = places.length - options.optional;
  return schema(Joi.array().ordered(...places.map(({ joi }, index) => (index < required ? joi.required() : joi))));
}

export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return schema(Joi.alternatives(first.joi, second.joi));
}

/** A key that may be missing; never `null`. */
export function optional<T>(inner: Schema<T>): Optional<T> {
  return { joi: inner.joi.optional(), optional: true };
}

/** A sentence for the documents. */
export function described<S extends Schema<unknown>>(inner: S, words: string): S {
  return { ...inner, joi: inner.joi.description(words) };
}

/** An object with these keys, all required unless `optional`; unknown keys are ignored. */
export function object<P extends Shape>(shape: P): Schema<InferShape<P>> {
  const keys = Object.entries(shape).map(([key, value]) => [
    key,
    "optional" in value ? value.joi : value.joi.required(),
  ]);
  return schema(Joi.object(Object.fromEntries(keys)).unknown(true));
}

/** An object with these keys and no others. */
export function closedObject<P extends Shape>(shape: P): Schema<InferShape<P>> {
  return schema((object(shape).joi as Joi.ObjectSchema).unknown(false));
}

/** An object with at least one of these keys and no others. */
export function someOf<P extends Shape>(shape: P): Schema<InferShape<P>> {
  return schema((closedObject(shape).joi as Joi.ObjectSchema).min(1));
}

/**
 * JSON may hold a key "__proto__"; Joi lets it pass, and code that copies keys would take it for the prototype.
 * A loop, not a recursion: a small text can nest deeper than the stack goes.
 */
function holdsPrototypeKey(value: unknown): boolean {
  const unseen = [value];
  while (unseen.length > 0) {
    const next = unseen.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) return true;
    for (const inner of Object.values(next)) unseen.push(inner);
  }
  return false;
}

/** What is said of a broken rule, where Joi's own words will not do; the name of a pattern completes the sentence. */
const messages = {
  "string.empty": "{{#label}} must not be empty",
  "string.pattern.name": "{{#label}} must {{#name}}",
};

const prepared = new WeakMap<Joi.Schema, Map<string, Joi.Schema>>();

/**
 * The rule for a required value that errors call by this name. Made once: making a rule takes far longer than applying
 * it, and so does giving settings along with each value, or to the rules inside.
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
  /** What to call the value itself in the error; its keys are called by their names. */
  label: string;
  /** Text to numbers, for query strings and paths only: frames and bodies are never coerced. */
  convert?: boolean;
}

/**
 * The value as the schema's type.
 * @throws AppError of kind "validation" that names the field and the rule
 */
export function check<T>(schemaOfValue: Schema<T>, value: unknown, options: CheckOptions): T {
  if (holdsPrototypeKey(value)) throw new AppError("validation", '"__proto__" is not allowed');
  const { error, value: checked } = prepare(schemaOfValue.joi, options).validate(value);
  if (error) throw new AppError("validation", error.message);
  return checked as T;
}

/** The schema as JSON Schema 2020-12, for OpenAPI 3.1 and AsyncAPI 3. */
export function jsonSchema(schemaOfValue: Schema<unknown>): Record<string, unknown> {
  const standard = (schemaOfValue.joi as unknown as StandardJsonSchema)["~standard"];
  return standard.jsonSchema.input({ target: "draft-2020-12" });
}

/** Joi 18 implements https://standardschema.dev/json-schema, which its own types do not say yet. */
interface StandardJsonSchema {
  "~standard": { jsonSchema: { input(options: { target: "draft-2020-12" }): Record<string, unknown> } };
}
