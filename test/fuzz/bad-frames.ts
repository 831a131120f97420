import { jsonSchema } from "../../src/contract/schema.ts";
import type { AnyMessageType } from "../../src/ws/message-type.ts";
import { registry } from "../../src/ws/registry.ts";
import type { Random } from "../chaos/random.ts";
import { opcodes, wireFrame } from "../support/raw-socket.ts";
import { exampleEntries, frameJson, jsonWithParam, objectJson, validJson } from "./json-text.ts";

/** Makes a readable frame that gets exactly one error frame, or exactly one response if it may be valid by chance. */
export type BadFrameMaker = (random: Random, messageType: AnyMessageType) => { bytes: Buffer; mayBeValid?: true };

interface Field {
  name: string;
  required: boolean;
  jsonType: string;
}

const fieldsOf = (messageType: AnyMessageType): Field[] => {
  const { properties = {}, required = [] } = jsonSchema(messageType.params);
  return Object.entries(Object(properties)).map(([name, rule]) => ({
    name,
    required: Array.isArray(required) && required.includes(name),
    jsonType: String(Object(rule).type),
  }));
};

const fieldsByType = new Map([...registry.values()].map((messageType) => [messageType, fieldsOf(messageType)]));

const pickField = (
  random: Random,
  messageType: AnyMessageType,
  matches: (field: Field) => boolean,
): Field | undefined => random.pick((fieldsByType.get(messageType) ?? []).filter(matches));

/** This message type, or another one if it has no required field: then there is nothing to leave out. */
function withRequiredField(messageType: AnyMessageType): AnyMessageType {
  const hasRequired = (fieldsByType.get(messageType) ?? []).some(({ required }) => required);
  return hasRequired ? messageType : (registry.get("privateMessage") ?? messageType);
}

/** Printable ASCII. */
const randomText = (random: Random, length: number): string =>
  String.fromCharCode(...Array.from({ length }, () => random.between(32, 126)));

const nested = (depth: number, open = "[", close = "]", core = "1"): string =>
  open.repeat(depth) + core + close.repeat(depth);

const textFrame = (content: string) => ({ bytes: wireFrame(content) });

/** Makes frames with an invalid value in a matching field, or with invalid params if the message type has none. */
const withInvalidValue =
  (
    matches: (field: Field) => boolean,
    makeValue: (random: Random, field: Field) => string | undefined,
  ): BadFrameMaker =>
  (random, messageType) => {
    const field = pickField(random, messageType, matches);
    const value = field && makeValue(random, field);
    return textFrame(
      value === undefined ? frameJson(messageType, "7") : jsonWithParam(messageType, field?.name ?? "", value),
    );
  };

const isNumber = ({ jsonType }: Field) => jsonType === "integer";
const isText = ({ jsonType }: Field) => jsonType === "string";
const isList = ({ jsonType }: Field) => jsonType === "array";
const anyField = () => true;

const wrongTypeValues: Record<string, readonly string[]> = {
  integer: ['"1"', "true", "null", "[]", "[1]", "{}", '{"valueOf":1}'],
  string: ["1", "false", "null", "[]", '["a"]', "{}", '{"length":5}'],
  array: ['"1"', "1", "true", "{}", "null", '{"length":1,"0":1}'],
};

/** Makers of bad frames, by kind. */
export const badFrames: Record<string, BadFrameMaker> = {
  "truncated JSON": (random, messageType) => {
    const whole = validJson(messageType);
    return textFrame(whole.slice(0, random.between(0, whole.length - 1)));
  },
  "random text": (random) => textFrame(`~${randomText(random, random.between(0, 300))}`),
  "almost valid JSON": (random, messageType) => {
    const valid = validJson(messageType);
    const mistakes = [
      valid.replaceAll('"', "'"),
      `${valid.slice(0, -1)},}`,
      `${valid}//`,
      valid.replace(":", "="),
      valid.replace('"type"', "type"),
      `\ufeff${valid}`,
      `${valid}${valid}`,
      `${valid.slice(0, -1)},"more":NaN}`,
      `${valid.slice(0, -1)},"more":0x1}`,
      `${valid.slice(0, -1)},"more":"a raw \n line break"}`,
      `${valid.slice(0, -1)},"more":"\\x41"}`,
    ];
    return textFrame(random.pick(mistakes) ?? "");
  },
  "not an object": (random, messageType) =>
    textFrame(random.pick(["null", "true", "7", '"x"', "[]", "-0", `[${validJson(messageType)}]`]) ?? ""),
  "nesting beyond the parser's limit": (random) => textFrame("[".repeat(random.between(1000, 32_000))),
  "deeply nested params": (random, messageType) =>
    textFrame(frameJson(withRequiredField(messageType), nested(random.between(100, 2500), '{"a":', "}", "[]"))),
  "an unknown type": (random, messageType) =>
    textFrame(
      objectJson([
        ["type", random.pick(['"nope"', '"__proto__"', '"constructor"', '"toString"', '""', "7", "null", "[]"]) ?? ""],
        ["params", objectJson(exampleEntries(messageType))],
      ]),
    ),
  "a mismisspelt type": (random, { type, ...rest }) => {
    const misspelt = [type.toUpperCase(), ` ${type}`, `${type}\u0000`, `${type}${type}`, `\u202e${type}`];
    return textFrame(
      objectJson([
        ["type", JSON.stringify(random.pick(misspelt))],
        ["params", objectJson(Object.entries(rest.example.params).map(([k, v]) => [k, JSON.stringify(v)]))],
      ]),
    );
  },
  "no type": (_random, messageType) => textFrame(objectJson([["params", objectJson(exampleEntries(messageType))]])),
  "no params": (_random, { type }) => textFrame(objectJson([["type", JSON.stringify(type)]])),
  "params of the wrong type": (random, messageType) =>
    textFrame(frameJson(messageType, random.pick(["null", "[]", "[{}]", '"{}"', "1", "true"]) ?? "")),
  "a missing field": (random, anyType) => {
    const messageType = withRequiredField(anyType);
    const missing = pickField(random, messageType, ({ required }) => required)?.name;
    return textFrame(
      frameJson(messageType, objectJson(exampleEntries(messageType).filter(([name]) => name !== missing))),
    );
  },
  "a field of the wrong type": withInvalidValue(anyField, (random, { jsonType }) =>
    random.pick(wrongTypeValues[jsonType] ?? []),
  ),
  "a number beyond 2^53": withInvalidValue(isNumber, (random) =>
    random.pick(["9007199254740992", "18446744073709551615", `1${"0".repeat(random.between(20, 300))}`, "1e300"]),
  ),
  "an infinite number": withInvalidValue(isNumber, (random) => random.pick(["1e400", "-1e400", "9".repeat(5000)])),
  "a fraction": withInvalidValue(isNumber, (random) => random.pick(["1.5", "0.1", "1e-7", "1.0000000000000002"])),
  "a number below the minimum": withInvalidValue(isNumber, (random) =>
    random.pick(["-1", "-2", "-9007199254740991", "-9007199254740992"]),
  ),
  "U+0000": withInvalidValue(isText, (random) => `"${"a".repeat(random.between(0, 20))}\\u0000${"b".repeat(8)}"`),
  "a lone surrogate": withInvalidValue(isText, (random) =>
    random.pick(['"\\ud800 is half"', '"\\udc00\\ud800 turned"', '"12345678\\udfff"', '"\\ud83d\\ud83d\\ude00"']),
  ),
  "a text that is too long": withInvalidValue(isText, (random) => `"${"x".repeat(random.between(4097, 30_000))}"`),
  "an empty text": withInvalidValue(isText, () => '""'),
  "a list that is too long": withInvalidValue(
    isList,
    (random) => `[${Array(random.between(1001, 5000)).fill("1").join()}]`,
  ),
  "a list with invalid items": withInvalidValue(isList, (random) =>
    random.pick(['["1"]', "[null]", "[[]]", "[[[]]]", "[{}]", "[1e400]", "[[1,-1,0]]", "[[0,0,0]]", "[[1,1,1,1,1,1]]"]),
  ),
  "a deeply nested field": withInvalidValue(anyField, (random) => nested(random.between(100, 8000))),
  "a __proto__ key": (random, messageType) => {
    const valid = validJson(messageType).slice(0, -1);
    const params = objectJson(exampleEntries(messageType)).slice(0, -1);
    const value = random.pick(["null", "1", "{}", '{"type":"sync"}', "[]"]) ?? "";
    return textFrame(
      random.pick([
        `${valid},"__proto__":${value}}`,
        frameJson(messageType, `${params},"__proto__":${value}}`),
        frameJson(messageType, `${params},"more":[[{"__proto__":${value}}]]}`),
        `${valid},"\\u005f_proto__":${value}}`,
      ]) ?? "",
    );
  },
  "a duplicate key with an invalid last value": (random, messageType) => {
    const valid = validJson(messageType).slice(0, -1);
    return textFrame(`${valid},${random.pick(['"params":null', '"type":"nope"', '"params":[]', '"type":7'])}}`);
  },
  "an invalid requestId": (random, messageType) => {
    const id = random.pick(["null", '""', `"${"r".repeat(65)}"`, '"\\u0000"', '"\\ud800"', "1.5", "1e400", "[]"]);
    return textFrame(`${validJson(messageType).slice(0, -1)},"requestId":${id}}`);
  },
  "fragments with pings between them": (random, messageType) => {
    const payload = Buffer.from(frameJson(messageType, "null"));
    const cut = random.between(0, payload.length);
    return {
      bytes: Buffer.concat([
        wireFrame(payload.subarray(0, cut), { fin: false }),
        wireFrame("ping", { opcode: opcodes.ping }),
        ...Array.from({ length: random.between(0, 30) }, () =>
          wireFrame("", { opcode: opcodes.continuation, fin: false }),
        ),
        wireFrame(payload.subarray(cut), { opcode: opcodes.continuation }),
      ]),
    };
  },
  "a flipped bit": (random, messageType) => {
    const payload = Buffer.from(validJson(messageType).replaceAll(/[^ -~]/g, "?"));
    const place = random.between(0, payload.length - 1);
    payload[place] = ((payload[place] ?? 0) ^ (1 << random.between(0, 6))) & 0x7f;
    return { bytes: wireFrame(payload), mayBeValid: true };
  },
};
