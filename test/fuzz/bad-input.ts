import { jsonSchema } from "../../src/contract/schema.ts";
import type { AnyMessageType } from "../../src/ws/message-type.ts";
import { registry } from "../../src/ws/registry.ts";
import type { Random } from "../chaos/random.ts";
import { closePayload, opcodes, wireFrame } from "../support/raw-socket.ts";

/*
 * Everything a client can do wrong, by kind. JSON is written as text, because half of it cannot be made by
 * JSON.stringify: 1e400, lone surrogates, a key "__proto__", a key twice.
 */

/** A frame that can be read and is wrong. It gets exactly one error, or exactly one answer where it may be right. */
export type BadFrame = (random: Random, messageType: AnyMessageType) => { bytes: Buffer; mayBeRight?: true };

/** What breaks the protocol, and the codes that close the socket; none when the client just goes. */
export interface Breach {
  codes: readonly number[];
  bytes: (random: Random, messageType: AnyMessageType) => Buffer;
}

type Entries = (readonly [string, string])[];

const objectText = (entries: Iterable<readonly [string, string]>): string =>
  `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;

const exampleOf = ({ example }: AnyMessageType): Entries =>
  Object.entries(example.params).map(([name, value]) => [name, JSON.stringify(value)]);

const frameText = ({ type }: AnyMessageType, params: string): string =>
  objectText([
    ["type", JSON.stringify(type)],
    ["params", params],
  ]);

const rightText = (messageType: AnyMessageType): string => frameText(messageType, objectText(exampleOf(messageType)));

const withParam = (messageType: AnyMessageType, name: string, value: string): string =>
  frameText(messageType, objectText(new Map(exampleOf(messageType)).set(name, value)));

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

const allFields = new Map([...registry.values()].map((messageType) => [messageType, fieldsOf(messageType)]));

const fieldOf = (random: Random, messageType: AnyMessageType, suits: (field: Field) => boolean): Field | undefined =>
  random.pick((allFields.get(messageType) ?? []).filter(suits));

const bytesBetween = (random: Random, least: number, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.between(least, most) }, () => random.between(0, 255)));

/** Printable ASCII. */
const noise = (random: Random, length: number): string =>
  String.fromCharCode(...Array.from({ length }, () => random.between(32, 126)));

const nested = (depth: number, open = "[", close = "]", core = "1"): string =>
  open.repeat(depth) + core + close.repeat(depth);

const text = (content: string) => ({ bytes: wireFrame(content) });

/** A kind of frame made by putting a wrong value into one field that suits; where none does, the params are wrong. */
const wrongValue =
  (suits: (field: Field) => boolean, makeValue: (random: Random, field: Field) => string | undefined): BadFrame =>
  (random, messageType) => {
    const field = fieldOf(random, messageType, suits);
    const value = field && makeValue(random, field);
    return text(value === undefined ? frameText(messageType, "7") : withParam(messageType, field?.name ?? "", value));
  };

const isNumber = ({ jsonType }: Field) => jsonType === "integer";
const isText = ({ jsonType }: Field) => jsonType === "string";
const isList = ({ jsonType }: Field) => jsonType === "array";
const any = () => true;

const wrongTypes: Record<string, readonly string[]> = {
  integer: ['"1"', "true", "null", "[]", "[1]", "{}", '{"valueOf":1}'],
  string: ["1", "false", "null", "[]", '["a"]', "{}", '{"length":5}'],
  array: ['"1"', "1", "true", "{}", "null", '{"length":1,"0":1}'],
};

/** Bad frames by kind. */
export const badFrames: Record<string, BadFrame> = {
  "cut off": (random, messageType) => {
    const whole = rightText(messageType);
    return text(whole.slice(0, random.between(0, whole.length - 1)));
  },
  noise: (random) => text(`~${noise(random, random.between(0, 300))}`),
  "almost JSON": (random, messageType) => {
    const right = rightText(messageType);
    const mistakes = [
      right.replaceAll('"', "'"),
      `${right.slice(0, -1)},}`,
      `${right}//`,
      right.replace(":", "="),
      right.replace('"type"', "type"),
      `\ufeff${right}`,
      `${right}${right}`,
      `${right.slice(0, -1)},"more":NaN}`,
      `${right.slice(0, -1)},"more":0x1}`,
      `${right.slice(0, -1)},"more":"a raw \n line break"}`,
      `${right.slice(0, -1)},"more":"\\x41"}`,
    ];
    return text(random.pick(mistakes) ?? "");
  },
  "not an object": (random, messageType) =>
    text(random.pick(["null", "true", "7", '"x"', "[]", "-0", `[${rightText(messageType)}]`]) ?? ""),
  "deeper than any parser likes": (random) => text("[".repeat(random.between(1000, 32_000))),
  "an object within an object within": (random, messageType) =>
    text(frameText(messageType, nested(random.between(100, 2500), '{"a":', "}", "[]"))),
  "a type that is none": (random, messageType) =>
    text(
      objectText([
        ["type", random.pick(['"nope"', '"__proto__"', '"constructor"', '"toString"', '""', "7", "null", "[]"]) ?? ""],
        ["params", objectText(exampleOf(messageType))],
      ]),
    ),
  "a type spelt otherwise": (random, { type, ...rest }) => {
    const spelt = [type.toUpperCase(), ` ${type}`, `${type}\u0000`, `${type}${type}`, `\u202e${type}`];
    return text(
      objectText([
        ["type", JSON.stringify(random.pick(spelt))],
        ["params", objectText(Object.entries(rest.example.params).map(([k, v]) => [k, JSON.stringify(v)]))],
      ]),
    );
  },
  "no type": (_random, messageType) => text(objectText([["params", objectText(exampleOf(messageType))]])),
  "no params": (_random, { type }) => text(objectText([["type", JSON.stringify(type)]])),
  "params of a wrong type": (random, messageType) =>
    text(frameText(messageType, random.pick(["null", "[]", "[{}]", '"{}"', "1", "true"]) ?? "")),
  "a field missing": (random, messageType) => {
    const missing = fieldOf(random, messageType, ({ required }) => required)?.name;
    return text(frameText(messageType, objectText(exampleOf(messageType).filter(([name]) => name !== missing))));
  },
  "a field of a wrong type": wrongValue(any, (random, { jsonType }) => random.pick(wrongTypes[jsonType] ?? [])),
  "a number beyond 2^53": wrongValue(isNumber, (random) =>
    random.pick(["9007199254740992", "18446744073709551615", `1${"0".repeat(random.between(20, 300))}`, "1e300"]),
  ),
  "an infinite number": wrongValue(isNumber, (random) => random.pick(["1e400", "-1e400", "9".repeat(5000)])),
  "a fraction": wrongValue(isNumber, (random) => random.pick(["1.5", "0.1", "1e-7", "1.0000000000000002"])),
  "a number below": wrongValue(isNumber, (random) => random.pick(["0", "-0", "-1", "-9007199254740992"])),
  "U+0000": wrongValue(isText, (random) => `"${"a".repeat(random.between(0, 20))}\\u0000${"b".repeat(8)}"`),
  "a lone surrogate": wrongValue(isText, (random) =>
    random.pick(['"\\ud800 is half"', '"\\udc00\\ud800 turned"', '"12345678\\udfff"', '"\\ud83d\\ud83d\\ude00"']),
  ),
  "text too long": wrongValue(isText, (random) => `"${"x".repeat(random.between(4097, 30_000))}"`),
  "text too short": wrongValue(isText, () => '""'),
  "a huge list": wrongValue(isList, (random) => `[${Array(random.between(1001, 5000)).fill("1").join()}]`),
  "a list of wrong things": wrongValue(isList, (random) =>
    random.pick(['["1"]', "[null]", "[[]]", "[[[]]]", "[{}]", "[1e400]", "[[1,-1,0]]", "[[0,0,0]]", "[[1,1,1,1,1,1]]"]),
  ),
  "a field too deep": wrongValue(any, (random) => nested(random.between(100, 8000))),
  __proto__: (random, messageType) => {
    const right = rightText(messageType).slice(0, -1);
    const params = objectText(exampleOf(messageType)).slice(0, -1);
    const value = random.pick(["null", "1", "{}", '{"type":"sync"}', "[]"]) ?? "";
    return text(
      random.pick([
        `${right},"__proto__":${value}}`,
        frameText(messageType, `${params},"__proto__":${value}}`),
        frameText(messageType, `${params},"more":[[{"__proto__":${value}}]]}`),
        `${right},"\\u005f_proto__":${value}}`,
      ]) ?? "",
    );
  },
  "a key twice, the last one wrong": (random, messageType) => {
    const right = rightText(messageType).slice(0, -1);
    return text(`${right},${random.pick(['"params":null', '"type":"nope"', '"params":[]', '"type":7'])}}`);
  },
  "a requestId that is none": (random, messageType) => {
    const id = random.pick(["null", '""', `"${"r".repeat(65)}"`, '"\\u0000"', '"\\ud800"', "1.5", "1e400", "[]"]);
    return text(`${rightText(messageType).slice(0, -1)},"requestId":${id}}`);
  },
  "in fragments, with pings between": (random, messageType) => {
    const payload = Buffer.from(frameText(messageType, "null"));
    const cut = random.between(0, payload.length);
    return {
      bytes: Buffer.concat([
        wireFrame(payload.subarray(0, cut), { fin: false }),
        wireFrame("still here?", { opcode: opcodes.ping }),
        ...Array.from({ length: random.between(0, 30) }, () =>
          wireFrame("", { opcode: opcodes.continuation, fin: false }),
        ),
        wireFrame(payload.subarray(cut), { opcode: opcodes.continuation }),
      ]),
    };
  },
  "a bit turned over": (random, messageType) => {
    const payload = Buffer.from(rightText(messageType).replaceAll(/[^ -~]/g, "?"));
    const place = random.between(0, payload.length - 1);
    payload[place] = ((payload[place] ?? 0) ^ (1 << random.between(0, 6))) & 0x7f;
    return { bytes: wireFrame(payload), mayBeRight: true };
  },
};

/** One message in these fragments. */
const inFragments = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part, index) =>
      wireFrame(part, { opcode: index === 0 ? opcodes.text : opcodes.continuation, fin: index === parts.length - 1 }),
    ),
  );

const controlOpcode = (random: Random): number =>
  random.pick([opcodes.close, opcodes.ping, opcodes.pong]) ?? opcodes.ping;

const overlong = [
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xf0, 0x80, 0x80, 0xaf],
];
const notUtf8 = [
  [0xff],
  [0xc3, 0x28],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
];

const pickBytes = (random: Random, choices: readonly number[][]) => Buffer.from(random.pick(choices) ?? []);

/** Breaches by kind. */
export const breaches: Record<string, Breach> = {
  "invalid UTF-8": {
    codes: [1007],
    bytes: (random, { type }) =>
      wireFrame(Buffer.concat([Buffer.from(`{"type":"${type}`), pickBytes(random, notUtf8)])),
  },
  "overlong UTF-8": { codes: [1007], bytes: (random) => wireFrame(pickBytes(random, overlong)) },
  "a character cut by the end of the message": {
    codes: [1007],
    bytes: () => inFragments(Buffer.from([0xe2, 0x82]), "x"),
  },
  "a binary frame": {
    codes: [1003],
    bytes: (random) => wireFrame(bytesBetween(random, 0, 2000), { opcode: opcodes.binary }),
  },
  "reserved bits": { codes: [1002], bytes: (random) => wireFrame("{}", { rsv: random.between(1, 7) }) },
  "a reserved opcode": {
    codes: [1002],
    bytes: (random) => wireFrame("{}", { opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) ?? 3 }),
  },
  "a frame without a mask": {
    codes: [1002],
    bytes: (_random, messageType) => wireFrame(rightText(messageType), { masked: false }),
  },
  "a control frame too long": {
    codes: [1002],
    bytes: (random) => wireFrame("x".repeat(random.between(126, 300)), { opcode: controlOpcode(random) }),
  },
  "a control frame in fragments": {
    codes: [1002],
    bytes: (random) => wireFrame("x", { opcode: controlOpcode(random), fin: false }),
  },
  "a continuation of nothing": { codes: [1002], bytes: () => wireFrame("{}", { opcode: opcodes.continuation }) },
  "a message within a message": {
    codes: [1002],
    bytes: () => Buffer.concat([wireFrame("{", { fin: false }), wireFrame("{}")]),
  },
  "a close frame of one byte": { codes: [1002], bytes: () => wireFrame("x", { opcode: opcodes.close }) },
  "a close frame with a code that is none": {
    codes: [1002],
    bytes: (random) => {
      const code = random.pick([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) ?? 0;
      return wireFrame(closePayload(code), { opcode: opcodes.close });
    },
  },
  "a close frame whose reason is no UTF-8": {
    codes: [1007],
    bytes: (random) => wireFrame(closePayload(1000, pickBytes(random, notUtf8)), { opcode: opcodes.close }),
  },
  "a flood of fragments": {
    codes: [1008],
    bytes: (random) => inFragments("{", ...Array.from({ length: random.between(64, 200) }, () => " ")),
  },
  "a frame too big": {
    codes: [1009],
    bytes: (random) => wireFrame(" ".repeat(random.between(32_769, 100_000))),
  },
  "a frame that claims to be huge": {
    codes: [1009],
    bytes: (random) => wireFrame("{", { length: random.pick([2n ** 31n, 2n ** 40n, 2n ** 53n, 2n ** 63n]) ?? 0n }),
  },
  "a message too big in fragments": {
    codes: [1009],
    bytes: () => inFragments(" ".repeat(20_000), " ".repeat(20_000)),
  },
  "the end in the middle of a frame": {
    codes: [],
    bytes: (random, messageType) => {
      const whole = wireFrame(rightText(messageType));
      return whole.subarray(0, random.between(1, whole.length - 1));
    },
  },
};

/** How many kinds of wrong there are. */
export const kindCount = Object.keys(badFrames).length + Object.keys(breaches).length;
