import { expect } from "@jest/globals";
import type { ErrorFrame } from "../../src/contract/frames.ts";
import { jsonSchema } from "../../src/contract/schema.ts";
import type { AnyMessageType } from "../../src/ws/message-type.ts";

/*
 * Invalid frames of every kind, with the error that each must get. They are written as raw text, because half of the
 * faults cannot be produced with JSON.stringify: 1e400, lone surrogates, a key "__proto__".
 */

/** A frame to send, and the one error it must get. */
export interface BadFrame {
  text: string;
  type: string;
  code: string;
  /** What the error's message must contain. */
  message: RegExp;
  requestId?: string | number;
}

const errorKeys = new Set(["error", "type", "message", "code", "field", "requestId", "retryable", "retryAfterMs"]);
const internals =
  /\bSQL|SELECT |INSERT |UPDATE |sequelize|postgres|pglite|violates|constraint|syntax|unexpected token|stack|\.[jt]s\b|\bat .+:\d+|<\/?\w+>/i;

/** The properties that all errors have in common. */
export function expectWellFormedError(frame: ErrorFrame): void {
  expect(Object.keys(frame).filter((key) => !errorKeys.has(key))).toEqual([]);
  expect(frame).toMatchObject({ error: true, type: expect.any(String), code: expect.stringMatching(/^[A-Z_]+$/) });
  expect(frame.message).toMatch(/\w/);
  expect(frame.message.length).toBeLessThan(300);
  expect(frame.message).not.toMatch(internals);
}

/** An object as JSON text, built from values that are JSON text already; a key may be "__proto__". */
const objectText = (entries: Iterable<readonly [string, string]>): string =>
  `{${[...entries].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;

/* Faults of any frame. */

export const unreadable: BadFrame[] = [
  "",
  " ",
  "hello",
  "{",
  '{"type":"listLastMessage"',
  "{'type':'listLastMessage'}",
  '{"type":"listLastMessage","params":{"limit":1,"page":1,}}',
  '{"type":"listLastMessage"} {"type":"listLastMessage"}',
  '\ufeff{"type":"listLastMessage","params":{"limit":1,"page":1}}',
  '{"type":"listLastMessage","params":{"limit":NaN,"page":1}}',
  '{"type":"privateMessage","params":{"receiverId":1,"content":"a raw \n line break"}}',
  "undefined",
  "<html></html>",
  "null",
  "true",
  "[]",
  '[{"type":"listLastMessage","params":{"limit":1,"page":1}}]',
  "7",
  '"listLastMessage"',
  "[".repeat(16_000),
  `${"[".repeat(16_000)}${"]".repeat(16_000)}`,
].map((text) => ({ text, type: "processor", code: "BAD_JSON", message: /^A frame must be one JSON object$/ }));

export const unknownTypes: BadFrame[] = [
  undefined,
  '"nosuchtype"',
  '"listlastmessage"',
  '" listLastMessage"',
  '""',
  '"processor"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"hasOwnProperty"',
  "null",
  "1",
  "true",
  '["listLastMessage"]',
  '{"type":"listLastMessage"}',
].map((type) => ({
  text: objectText([
    ...(type === undefined ? [] : ([["type", type]] as const)),
    ["params", '{"limit":1,"page":1}'],
    ["requestId", '"unknown"'],
  ]),
  type: "processor",
  code: "UNKNOWN_TYPE",
  message: /^There is no such type$/,
  requestId: "unknown",
}));

export const badRequestIds = ["null", '""', `"${"r".repeat(65)}"`, '"\\u0000"', '"\\ud800"', "1.5", "1e400", "true"]
  .concat(["9007199254740992", "[]", '["a"]', "{}", '{"a":1}'])
  .map((text) => ({ text, message: /^"requestId" .*(must|cannot)/ }));

/* Faults of a field. */

const notANumber = ['"1"', "true", "[]", "[1]", "{}", "null"];
const notText = ["1", "true", "[]", '["a"]', "{}", "null"];

/** Values that are invalid in every field of that JSON type. */
export const wrongInType: Record<string, { text: string; message: RegExp }[]> = {
  integer: [
    ...notANumber.map((text) => ({ text, message: /must be a number$/ })),
    { text: "1.5", message: /must be an integer$/ },
    { text: "-1", message: /must be greater than or equal to \d+$/ },
    { text: "9007199254740992", message: /must be (a safe number|less than or equal to \d+)$/ },
    { text: "1e400", message: /cannot be infinity$/ },
    { text: "-1e400", message: /cannot be infinity$/ },
  ],
  string: [
    ...notText.map((text) => ({ text, message: /must be (a string|one of .*)$/ })),
    { text: '""', message: /must/ },
    { text: '"with a zero \\u0000"', message: /must/ },
    { text: '"\\u0000"', message: /must/ },
    { text: '"half a pair \\ud83d"', message: /must/ },
    { text: '"\\ude00\\ud83d"', message: /must/ },
  ],
  boolean: ['"true"', '"on"', "1", "0", "[]", "{}", "null"].map((text) => ({
    text,
    message: /must be (a boolean|true)$/,
  })),
  array: ['"1"', "1", "true", "{}", "null"].map((text) => ({ text, message: /must be an array$/ })),
};

const idRules = [
  { text: "0", message: /must be greater than or equal to 1$/ },
  { text: "-1", message: /must be greater than or equal to 1$/ },
  { text: "1.5", message: /must be an integer$/ },
  { text: "9007199254740992", message: /must be a safe number$/ },
  { text: "1e400", message: /cannot be infinity$/ },
];
const blank = ['" "', '"   "', '"\\n"', '"\\n\\t"', '"\\u00a0"', '"\\u2003 \\u3000"', '"\\u2028"'].map((text) => ({
  text,
  message: /must not be blank/,
}));
const clientMessageIdRule = /must be 8 to 64 printable ASCII characters$/;

/** Values that break the documented limits of the field of that name. */
export const wrongInField: Record<string, { text: string; message: RegExp }[]> = {
  userId: idRules,
  receiverId: idRules,
  groupId: idRules,
  chatId: idRules,
  messageId: idRules,
  limit: [
    ...["0", "-1"].map((text) => ({ text, message: /must be greater than or equal to 1$/ })),
    ...["101", "1e9"].map((text) => ({ text, message: /must be less than or equal to (50|100)$/ })),
    { text: '"5"', message: /must be a number$/ },
  ],
  page: [
    ...["0", "-1"].map((text) => ({ text, message: /must be greater than or equal to 1$/ })),
    ...["2147483648", "1e15"].map((text) => ({ text, message: /must be less than or equal to 2147483647$/ })),
  ],
  content: [...blank, { text: `"${"x".repeat(4097)}"`, message: /less than or equal to 4096/ }],
  value: ["[]", "1", '"text"', '"half a pair \\ud83d"'].map((text) => ({ text, message: /must/ })),
  groupName: [...blank, { text: `"${"x".repeat(65)}"`, message: /less than or equal to 64/ }],
  clientMessageId: [
    "1234567",
    "x".repeat(65),
    "12345678\\n",
    "caf\\u00e9 12345",
    "tab\\tstop12",
    "\\u0000".repeat(8),
  ].map((text) => ({ text: `"${text}"`, message: clientMessageIdRule })),
};

interface Field {
  name: string;
  required: boolean;
  jsonType: string;
}

export function fieldsOf(messageType: AnyMessageType): Field[] {
  const { properties = {}, required = [] } = jsonSchema(messageType.params);
  return Object.entries(Object(properties)).map(([name, rule]) => ({
    name,
    required: Array.isArray(required) && required.includes(name),
    jsonType: String(Object(rule).type),
  }));
}

const exampleOf = (messageType: AnyMessageType): Map<string, string> =>
  new Map(Object.entries(messageType.example.params).map(([name, value]) => [name, JSON.stringify(value)]));

/** A valid frame of this type in which these parts are replaced. */
function frameOf(
  messageType: AnyMessageType,
  replaced: { params?: string | undefined; requestId?: string } = {},
): string {
  const params = "params" in replaced ? replaced.params : objectText(exampleOf(messageType));
  return objectText([
    ["type", JSON.stringify(messageType.type)],
    ...(params === undefined ? [] : ([["params", params]] as const)),
    ["requestId", replaced.requestId ?? "0"],
  ]);
}

/** Every fault that a frame of this type can have. */
export function badFramesOf(messageType: AnyMessageType): BadFrame[] {
  const { type } = messageType;
  const rejected = (text: string, message: RegExp): BadFrame => ({
    text,
    type,
    code: "VALIDATION",
    message,
    requestId: 0,
  });
  const withParam = (name: string, text: string): string =>
    frameOf(messageType, { params: objectText(new Map(exampleOf(messageType)).set(name, text)) });
  const withoutParam = (name: string): string => {
    const params = exampleOf(messageType);
    params.delete(name);
    return frameOf(messageType, { params: objectText(params) });
  };
  const prototypeKey = /"__proto__" is not allowed/;
  const validParams = objectText(exampleOf(messageType));
  const withKey = (entry: string): string => `${validParams === "{}" ? "{" : `${validParams.slice(0, -1)},`}${entry}}`;

  return [
    rejected(frameOf(messageType, { params: undefined }), /^"params" is required$/),
    ...["null", "[]", "[{}]", '"{}"', "1", "true"].map((params) =>
      rejected(frameOf(messageType, { params }), /^"params" must be of type object$/),
    ),
    ...fieldsOf(messageType).flatMap(({ name, required, jsonType }) => [
      ...(required ? [rejected(withoutParam(name), new RegExp(`^"${name}" is required$`))] : []),
      ...[...(wrongInType[jsonType] ?? []), ...(wrongInField[name] ?? [])].map(({ text, message }) =>
        rejected(withParam(name, text), new RegExp(`^"${name}" .*${message.source}`)),
      ),
    ]),
    rejected(frameOf(messageType, { params: withKey('"__proto__":{"limit":1}') }), prototypeKey),
    rejected(frameOf(messageType, { params: withKey('"__proto__":null') }), prototypeKey),
    rejected(frameOf(messageType, { params: withKey('"more":[{"__proto__":1}]') }), prototypeKey),
    ...['{"type":"listLastMessage"}', "null", '"x"'].map((value) =>
      rejected(`${frameOf(messageType).slice(0, -1)},"__proto__":${value}}`, prototypeKey),
    ),
    ...badRequestIds.map(({ text, message }): BadFrame => {
      const { requestId: _none, ...withoutRequestId } = rejected(frameOf(messageType, { requestId: text }), message);
      return withoutRequestId;
    }),
  ];
}
