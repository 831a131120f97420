import Joi from "joi";
import { canonicalOrigin } from "../domain/origin.ts";
import type { Rate } from "../domain/rate-limit.ts";

/** What Joi makes of the text of a variable. */
export type WrittenValue = string | number | undefined;

/** The declaration of a setting. `Written` is its type as checked, `Value` its type in `Config`. */
export interface Setting<Value = unknown, Written extends WrittenValue = WrittenValue> {
  /** The environment variable. */
  readonly variable: string;
  /** What it does, for administrators. */
  readonly meaning: string;
  /** The unit of the written value. */
  readonly unit?: "seconds" | "days" | "bytes";
  /** The allowed values, in words. */
  readonly allowed: string;
  readonly fallback: Written | Computed<Written> | Unset;
  /** Shown in `.env.example` where there is no fixed default. */
  readonly example?: string;
  /** It is or contains a secret, so it can also be read from the file that `<variable>_FILE` names. */
  readonly isSecret?: true;
  /** Checks the written value. */
  readonly rule: Joi.Schema;
  convert(written: Written): Value;
}

/** Settings that belong together, with a title and an introduction for the documents. */
export interface Group<Of extends Members = Members> {
  readonly title: string;
  readonly note?: string;
  readonly members: Of;
}

export const group = <Of extends Members>(about: { title: string; note?: string }, members: Of): Group<Of> => ({
  ...about,
  members,
});

/** Settings by name, some of them in inner objects. */
export type Members = { readonly [name: string]: Setting | Members };

export const isSetting = (node: Setting | Members): node is Setting => typeof node.variable === "string";

/** All settings of a group, in the order of their declaration. */
export function settingsOf(members: Members): readonly Setting[] {
  return Object.values(members).flatMap((node) => (isSetting(node) ? [node] : settingsOf(node)));
}

/** A default or a bound that follows from the written value of another setting. */
export class Computed<Value> {
  /** Only for the compiler: without it, a computed text would do for a number. */
  declare readonly value: Value;

  /** @param words for administrators */
  private constructor(
    readonly reference: Joi.Reference,
    readonly words: string,
  ) {}

  static from<Other extends WrittenValue, Value>(
    other: Setting<unknown, Other>,
    compute: (written: Other) => Value,
    words: string,
  ) {
    return new Computed<Value>(Joi.ref(other.variable, { adjust: compute }), words);
  }
}

/** No default. `words` say what happens then. */
export class Unset {
  constructor(readonly words: string) {}
}

type Bound = number | Computed<number>;

/** A whole number. Both bounds are allowed. */
export function integer(
  variable: string,
  [min, max]: readonly [Bound, Bound],
  fallback: number | Computed<number>,
  meaning: string,
): Setting<number, number> {
  const messages = {
    ...(min instanceof Computed && { "number.min": `{{#label}} must be at least ${min.words}` }),
    ...(max instanceof Computed && { "number.max": `{{#label}} must be at most ${max.words}` }),
  };
  const limit = (bound: Bound) => (bound instanceof Computed ? bound.reference : bound);
  const inWords = (bound: Bound) => (bound instanceof Computed ? bound.words : String(bound));
  const rule = Joi.number().integer().min(limit(min)).max(limit(max)).messages(messages);
  const allowed = `${inWords(min)} to ${inWords(max)}`;
  return { variable, meaning, allowed, fallback, rule, convert: (written) => written };
}

/** Whole seconds, in milliseconds in `Config`. */
export const seconds = (...declaration: Parameters<typeof integer>): Setting<number, number> => ({
  ...integer(...declaration),
  unit: "seconds",
  convert: (written) => written * 1000,
});

/** Whole seconds, in seconds in `Config` too. */
export const wholeSeconds = (...declaration: Parameters<typeof integer>): Setting<number, number> => ({
  ...integer(...declaration),
  unit: "seconds",
});

/** Whole days, in milliseconds in `Config`. */
export const days = (...declaration: Parameters<typeof integer>): Setting<number, number> => ({
  ...integer(...declaration),
  unit: "days",
  convert: (written) => written * 86_400_000,
});

export const bytes = (...declaration: Parameters<typeof integer>): Setting<number, number> => ({
  ...integer(...declaration),
  unit: "bytes",
});

const millisecondsIn = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time in whole minutes, hours or days such as 24h, in milliseconds in `Config`. Both bounds are allowed. */
export function duration(
  variable: string,
  [min, max]: readonly [string, string],
  example: string,
  fallback: Unset,
  meaning: string,
): Setting<number | undefined, string | undefined> {
  const allowed = `${min} to ${max}, in minutes (30m), hours (24h) or days (7d)`;
  const [minMs, maxMs] = [parseDuration(min) ?? invalid(variable), parseDuration(max) ?? invalid(variable)];
  const isAllowed = (ms: number | undefined) => ms !== undefined && ms >= minMs && ms <= maxMs;
  const rule = Joi.string()
    .custom((written: string, { error }) => (isAllowed(parseDuration(written)) ? written : error("duration.form")))
    .messages({ "duration.form": `{{#label}} must be ${allowed}` });
  const convert = (written: string | undefined) => (written === undefined ? undefined : parseDuration(written));
  return { variable, meaning, allowed, fallback, example, rule, convert };
}

function parseDuration(written: string): number | undefined {
  const [, amount, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(written) ?? [];
  return amount === undefined ? undefined : Number(amount) * millisecondsIn[unit as keyof typeof millisecondsIn];
}

/** One of a few words. */
export function choice<Word extends string>(
  variable: string,
  words: readonly Word[],
  fallback: NoInfer<Word>,
  meaning: string,
): Setting<Word, Word> {
  const rule = Joi.string().valid(...words);
  return { variable, meaning, allowed: words.join(", "), fallback, rule, convert: (written) => written };
}

export const onOff = (variable: string, fallback: "on" | "off", meaning: string): Setting<boolean, "on" | "off"> => ({
  ...choice<"on" | "off">(variable, ["on", "off"], fallback, meaning),
  convert: (written): boolean => written === "on",
});

/** Any text; `allowed` says what it should be. */
export function text(
  variable: string,
  allowed: string,
  fallback: string | Computed<string>,
  meaning: string,
): Setting<string, string> {
  return { variable, meaning, allowed, fallback, rule: Joi.string(), convert: (written) => written };
}

/** Text of a form that `allowed` describes. */
export function textLike(
  variable: string,
  { pattern, allowed }: { pattern: RegExp; allowed: string },
  fallback: string,
  meaning: string,
): Setting<string, string> {
  const rule = Joi.string()
    .pattern(pattern)
    .messages({ "string.pattern.base": `{{#label}} must be ${allowed}` });
  return { variable, meaning, allowed, fallback, rule, convert: (written) => written };
}

/** The address of a service, which may contain a password: one of the schemes, and the form to quote when it is something else. */
export function url(
  variable: string,
  { schemes, form, example }: { schemes: string[]; form: string; example: string },
  fallback: Unset,
  meaning: string,
): Setting<string | undefined, string | undefined> {
  const rule = Joi.string()
    .uri({ scheme: schemes })
    .messages({ "string.uriCustomScheme": `{{#label}} must look like ${form}` });
  const convert = (written: string | undefined) => written;
  return { variable, meaning, allowed: `like ${form}`, fallback, example, rule, isSecret: true, convert };
}

/** A whole number without a default. Both bounds are allowed. */
export function optionalInteger(
  variable: string,
  [min, max]: readonly [number, number],
  fallback: Unset,
  meaning: string,
): Setting<number | undefined, number | undefined> {
  const rule = Joi.number().integer().min(min).max(max);
  return { variable, meaning, allowed: `${min} to ${max}`, fallback, rule, convert: (written) => written };
}

/** Text without a default; `allowed` says what it should be. */
export function optionalText(
  variable: string,
  allowed: string,
  fallback: Unset,
  meaning: string,
  pattern = /[\s\S]/,
): Setting<string | undefined, string | undefined> {
  const rule = Joi.string()
    .pattern(pattern)
    .messages({ "string.pattern.base": `{{#label}} must be ${allowed}` });
  return { variable, meaning, allowed, fallback, rule, convert: (written) => written };
}

/** Text that is too long to guess. `minBytes` counts its UTF-8 bytes. */
export function secret(
  variable: string,
  { minBytes, make }: { minBytes: number; make: string },
  fallback: Unset,
  meaning: string,
): Setting<string | undefined, string | undefined> {
  const rule = Joi.string()
    .custom((written: string, { error }) => (Buffer.byteLength(written) < minBytes ? error("secret.short") : written))
    .messages({ "secret.short": `{{#label}} needs ${minBytes} bytes or more; make one with: ${make}` });
  const allowed = `${minBytes} bytes or more, such as from: ${make}`;
  return { variable, meaning, allowed, fallback, rule, isSecret: true, convert: (written) => written };
}

/** One e-mail address, without a name. */
export function emailAddress(
  variable: string,
  fallback: Unset,
  meaning: string,
): Setting<string | undefined, string | undefined> {
  const example = "messenger@example.org";
  const allowed = `an e-mail address without a name, such as ${example}`;
  const rule = Joi.string()
    .pattern(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/)
    .messages({ "string.pattern.base": `{{#label}} must be ${allowed}` });
  return { variable, meaning, allowed, fallback, example, rule, convert: (written) => written };
}

/** A secret that clients send in a header: visible ASCII characters only. */
export function headerSecret(
  variable: string,
  { minLength, make }: { minLength: number; make: string },
  fallback: Unset,
  meaning: string,
): Setting<string | undefined, string | undefined> {
  const allowed = `${minLength} or more letters, digits and ASCII symbols without spaces, such as from: ${make}`;
  const rule = Joi.string()
    .pattern(new RegExp(`^[!-~]{${minLength},}$`))
    .messages({ "string.pattern.base": `{{#label}} needs ${allowed}` });
  return { variable, meaning, allowed, fallback, rule, isSecret: true, convert: (written) => written };
}

/** Browser origins, separated by commas. Converted to the spelling that browsers send. */
export function origins(
  variable: string,
  fallback: Unset,
  meaning: string,
): Setting<readonly string[], string | undefined> {
  const allowed = "origins such as https://chat.example.org, separated by commas";
  const rule = Joi.string()
    .pattern(/^https?:\/\/[^\s/,]+(,https?:\/\/[^\s/,]+)*$/i)
    .messages({ "string.pattern.base": `{{#label}} must be ${allowed}` });
  return {
    variable,
    meaning,
    allowed,
    fallback,
    rule,
    convert: (written) => written?.split(",").map(canonicalOrigin) ?? [],
  };
}

/** The address of a server for browsers, without a path. Converted to the spelling that browsers send as origin. */
export function webOrigin(
  variable: string,
  fallback: Unset,
  meaning: string,
): Setting<string | undefined, string | undefined> {
  const allowed = "like https://chat.example.org, without a path";
  const rule = Joi.string()
    .custom((written: string, { error }) => (originIn(written) === undefined ? error("origin.form") : written))
    .messages({ "origin.form": `{{#label}} must look ${allowed}` });
  const example = "https://chat.example.org";
  return { variable, meaning, allowed, fallback, example, rule, convert: (written) => written && originIn(written) };
}

/** The origin in its canonical spelling; a slash may follow it. Undefined if this is none. */
function originIn(written: string): string | undefined {
  const origin = canonicalOrigin(written.replace(/\/$/, ""));
  return /^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin ? origin : undefined;
}

/** A rate such as 60+10/s or 5+1/12s. The burst holds at least what one period adds. */
export function rate(variable: string, fallback: string, meaning: string): Setting<Readonly<Rate>, string> {
  const rule = Joi.string()
    .custom((written: string, { error }) => (parseRate(written) ? written : error("rate.form")))
    .messages({ "rate.form": "{{#label}} must look like 60+10/s (60 at once, then 10 a second) or 5+1/12s" });
  const convert = (written: string) => parseRate(written) ?? invalid(variable);
  return { variable, meaning, allowed: "a rate", fallback, rule, convert };
}

function parseRate(written: string): Rate | undefined {
  const [, burst, amount, seconds = 1] = /^(\d{1,6})\+([1-9]\d{0,5})\/([1-9]\d{0,3})?s$/.exec(written) ?? [];
  if (burst === undefined || Number(burst) < Number(amount)) return undefined;
  return { burst: Number(burst), amount: Number(amount), seconds: Number(seconds) };
}

function invalid(variable: string): never {
  throw new Error(`the default of ${variable} breaks its own rule`);
}
